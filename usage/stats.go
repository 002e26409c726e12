package usage

// Stats is what a meter has counted so far, and what it holds.
type Stats struct {
	// Calls have passed and ended, Points is what teams with a plan were charged for them.
	Calls, Points int64
	// Teams make calls just now, Waiting counts are in no batch yet.
	Teams   int
	Waiting int64
}

// Stats says how the meter stands.
func (m *Meter) Stats() Stats {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return Stats{Calls: m.passed.Load(), Points: m.charged.Load(), Teams: len(m.accounts), Waiting: m.keys.Load()}
}
