package store

// Due returns the statements of a purge with their parameters.
func (p *Purge) Due() (texts []string, args [][]any) {
	for _, s := range p.due {
		texts, args = append(texts, s.sql), append(args, s.params(purgeRows))
	}
	return texts, args
}

// ManualTexts are the queries of ManualTokens.
func (s *Store) ManualTexts() (count, list string) { return countManual(s.sql), manualTokens(s.sql) }

// UsableText is the query of UsableTokens.
func (s *Store) UsableText() string { return usableTokens(s.sql) }
