package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// ledgerLines are a team's entries as the ledger shows them: what is not use one by one,
// use by UTC day. The days are found by one step into the index each; they are summed
// once it is known which of them a page shows. seq is the order of writing.
func ledgerLines(d dialect) string {
	return `WITH RECURSIVE days (last) AS (
		SELECT (SELECT MAX(at) FROM ledger_entries WHERE team_id = @team AND kind = 'use')
		UNION ALL
		SELECT (SELECT MAX(at) FROM ledger_entries WHERE team_id = @team AND kind = 'use' AND at < last / 86400000 * 86400000) FROM days WHERE last IS NOT NULL),
	lines (at, seq) AS (
		SELECT at, ` + d.written() + ` FROM ledger_entries WHERE team_id = @team AND kind <> 'use'
		UNION ALL
		SELECT last, (SELECT MAX(` + d.written() + `) FROM ledger_entries WHERE team_id = @team AND kind = 'use' AND at = last) FROM days WHERE last IS NOT NULL)`
}

// Ledger lists one page of a team's ledger. Page counts from 1.
func (s *Store) Ledger(ctx context.Context, team string, page int) (models.LedgerList, error) {
	var list models.LedgerList
	args := map[string]any{"team": team, "limit": models.PageSize, "offset": offset(page)}
	if err := s.read(ctx).Raw(ledgerLines(s.sql)+" SELECT COUNT(*) FROM lines", args).Scan(&list.Total).Error; err != nil {
		return list, translate(err)
	}
	err := s.read(ctx).Raw(ledgerLines(s.sql)+`, shown AS (SELECT at, seq FROM lines ORDER BY at DESC, seq DESC LIMIT @limit OFFSET @offset)
		SELECT CASE e.kind WHEN 'use' THEN '' ELSE e.id END AS id, e.team_id, e.at, e.kind, e.balance_after,
			CASE e.kind WHEN 'use' THEN (SELECT SUM(u.points) FROM ledger_entries u WHERE u.team_id = @team AND u.kind = 'use'
				AND u.at >= e.at / 86400000 * 86400000 AND u.at <= e.at) ELSE e.points END AS points,
			CASE e.kind WHEN 'use' THEN '' ELSE e.reference END AS reference, e.note, e.actor_id, e.actor_name
		FROM shown JOIN ledger_entries e ON e.`+s.sql.written()+` = shown.seq ORDER BY shown.at DESC, shown.seq DESC`, args).Scan(&list.Rows).Error
	return list, translate(err)
}
