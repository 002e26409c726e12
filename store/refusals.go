package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

const (
	saveRefused = `INSERT INTO refused_calls (id, team_id, application_id, token_id, value_hash, reason, scope, route, address, agent, first_at, last_at, times)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (team_id, value_hash, reason, route, address) DO UPDATE SET
		times = refused_calls.times + excluded.times,
		first_at = CASE WHEN excluded.first_at < refused_calls.first_at THEN excluded.first_at ELSE refused_calls.first_at END,
		last_at = CASE WHEN excluded.last_at > refused_calls.last_at THEN excluded.last_at ELSE refused_calls.last_at END,
		scope = excluded.scope, agent = excluded.agent`
	keepNewestRefused = `DELETE FROM refused_calls WHERE id IN
		(SELECT id FROM refused_calls WHERE team_id = ? ORDER BY last_at DESC, id DESC LIMIT 9223372036854775807 OFFSET ?)`
)

// SaveRefusedCalls adds to what is kept of refused calls and drops the oldest of those
// teams that have too many.
func (s *Store) SaveRefusedCalls(ctx context.Context, calls []models.RefusedCall) error {
	// In one order wherever it runs, so that nobody waits for somebody who waits for them.
	calls = slices.SortedFunc(slices.Values(calls), alike)
	return s.count(ctx, func(tx *gorm.DB) error {
		var teams []string
		for _, c := range calls {
			teams = append(teams, c.TeamID)
			err := tx.Exec(saveRefused, NewID(), c.TeamID, c.ApplicationID, c.TokenID, c.ValueHash, c.Reason, c.Scope, c.Route, c.Address, c.Agent, c.FirstAt, c.LastAt, c.Times).Error
			if err != nil {
				return err
			}
		}
		for _, team := range slices.Compact(teams) {
			most := models.MaxRefused
			if team == "" {
				most = models.MaxRefusedUnknown
			}
			if err := tx.Exec(keepNewestRefused, team, most).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

// alike orders calls by what makes them one.
func alike(a, b models.RefusedCall) int {
	return cmp.Or(cmp.Compare(a.TeamID, b.TeamID), bytes.Compare(a.ValueHash, b.ValueHash),
		cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Address, b.Address))
}

func sweepRefused(tx *gorm.DB, now models.Time) error {
	return tx.Exec("DELETE FROM refused_calls WHERE last_at < ? OR team_id = '' AND last_at < ?", now.Add(-models.KeepRefused), now.Add(-models.KeepRefusedUnknown)).Error
}

// fate is what became of a token t of an application a, under names that begin with prefix.
func fate(prefix string) string {
	const by = "(CASE WHEN t.revoked_at <> 0 THEN t.revoked_by ELSE a.tokens_revoked_by END)"
	return `COALESCE(t.id, '') AS ` + prefix + `token_id, COALESCE(t.name, '') AS ` + prefix + `token_name, COALESCE(t.kind, '') AS ` + prefix + `kind,
		COALESCE(t.last4, '') AS ` + prefix + `last4, COALESCE(t.scopes, '') AS ` + prefix + `scopes, COALESCE(a.scopes, '') AS ` + prefix + `app_scopes,
		COALESCE(t.expires_at, 0) AS ` + prefix + `expires_at,
		COALESCE(CASE WHEN t.revoked_at <> 0 THEN t.revoked_at WHEN t.epoch < a.epoch THEN a.tokens_revoked_at END, 0) AS ` + prefix + `revoked_at,
		COALESCE((SELECT name FROM users WHERE id = ` + by + `), CASE WHEN ` + by + ` = a.id THEN a.name END, '') AS ` + prefix + `revoked_by_name,
		COALESCE(` + by + ` = a.id, FALSE) AS ` + prefix + `by_program, COALESCE(a.id, '') AS ` + prefix + `application_id, COALESCE(a.name, '') AS ` + prefix + `application_name,
		COALESCE(a.disabled_at, 0) AS ` + prefix + `app_disabled_at, COALESCE(a.deleted_at, 0) AS ` + prefix + `app_deleted_at`
}

var refusedRows = "SELECT r.*, " + fate("fate_") + ` FROM refused_calls r
	LEFT JOIN applications a ON a.id = r.application_id AND a.team_id = r.team_id
	LEFT JOIN tokens t ON t.id = r.token_id AND t.team_id = r.team_id
	WHERE r.team_id = ? AND r.last_at >= ? AND (? = '' OR r.application_id = ?) ORDER BY r.last_at DESC, r.id DESC LIMIT ? OFFSET ?`

// RefusedCalls lists one page of the calls that were refused with tokens of a team, with
// what became of each token.
func (s *Store) RefusedCalls(ctx context.Context, team string, query models.RefusedQuery) (models.RefusedList, error) {
	var list models.RefusedList
	if team == "" {
		return list, models.ErrNotFound
	}
	oldest, app := s.now().Add(-models.KeepRefused), query.Application
	err := s.read(ctx).Raw("SELECT COUNT(*) FROM refused_calls WHERE team_id = ? AND last_at >= ? AND (? = '' OR application_id = ?)", team, oldest, app, app).Scan(&list.Total).Error
	if err != nil {
		return list, translate(err)
	}
	err = s.read(ctx).Raw(refusedRows, team, oldest, app, app, models.PageSize, offset(query.Page)).Scan(&list.Rows).Error
	return list, translate(err)
}

// LastRefused lists the newest of an application's, at most limit.
func (s *Store) LastRefused(ctx context.Context, team, appID string, limit int) ([]models.RefusedRow, error) {
	if team == "" {
		return nil, models.ErrNotFound
	}
	var rows []models.RefusedRow
	err := s.read(ctx).Raw(refusedRows, team, s.now().Add(-models.KeepRefused), appID, appID, limit, 0).Scan(&rows).Error
	return rows, translate(err)
}

// CheckToken says what a team may know of the token with this hash. Of another team's it
// says what it says of one that does not exist, after the same look-ups.
func (s *Store) CheckToken(ctx context.Context, team string, hash []byte) (models.TokenVerdict, error) {
	var verdict models.TokenVerdict
	if team == "" {
		return verdict, models.ErrNotFound
	}
	err := s.read(ctx).Raw("SELECT "+fate("")+`, x.suspended_at AS team_suspended_at
		FROM tokens t JOIN applications a ON a.id = t.application_id AND a.team_id = t.team_id JOIN teams x ON x.id = t.team_id
		WHERE t.hash = ? AND t.team_id = ?`, hash, team).Scan(&verdict.Fate).Error
	if err != nil {
		return verdict, translate(err)
	}
	verdict.Known = verdict.Fate.TokenID != ""
	var tallies []struct {
		TeamID string
		models.RefusedTally
	}
	now := s.now()
	err = s.read(ctx).Raw(`SELECT team_id, SUM(times) AS times, MAX(last_at) AS last_at FROM refused_calls`+s.sql.index("refused_calls_alike")+` WHERE team_id = ? AND value_hash = ? AND last_at >= ? GROUP BY team_id
		UNION ALL SELECT team_id, SUM(times), MAX(last_at) FROM refused_calls`+s.sql.index("refused_calls_alike")+` WHERE team_id = '' AND value_hash = ? AND last_at >= ? GROUP BY team_id`,
		team, hash, now.Add(-models.KeepRefused), hash, now.Add(-models.KeepRefusedUnknown)).Scan(&tallies).Error
	for _, tally := range tallies {
		verdict.Deleted = verdict.Deleted || tally.TeamID == team && !verdict.Known
		if tally.TeamID == team || verdict.Refused.Times == 0 {
			verdict.Refused = tally.RefusedTally
		}
	}
	return verdict, translate(err)
}
