package store

import (
	"context"
	"database/sql"

	"gorm.io/gorm"
)

// Pool is how the connections of one handle are used.
type Pool struct {
	Name string
	sql.DBStats
}

// Pools says how the connections are used: those that read and those that write.
func (s *Store) Pools() ([]Pool, error) {
	var pools []Pool
	for _, p := range []struct {
		name   string
		handle *gorm.DB
	}{{"read", s.reads}, {"write", s.writes}} {
		db, err := p.handle.DB()
		if err != nil {
			return nil, err
		}
		pools = append(pools, Pool{Name: p.name, DBStats: db.Stats()})
	}
	return pools, nil
}

// SchemaVersion says which migration was applied last. Asking it also shows that the
// database answers.
func (s *Store) SchemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := s.one(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied", nil, &version)
	return version, err
}

// Waiting is what stands in the database and wants somebody's attention.
type Waiting struct {
	// Deliveries wait to be tried; Failed ones were given up and are still listed.
	Deliveries, Failed int64
	// Expiring counts manual tokens that end within a week, by team: of those with most, in
	// the order of their number. Teams counts all teams that have any, Tokens all tokens.
	Expiring      []TeamCount
	Teams, Tokens int64
}

// TeamCount is a number of something that a team has.
type TeamCount struct {
	TeamID string
	Count  int64
}

const (
	countDeliveries = `SELECT COALESCE(SUM(CASE WHEN next_at <> 0 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN next_at = 0 AND delivered_at = 0 THEN 1 ELSE 0 END), 0) FROM webhook_deliveries`
	expiringByTeam = `SELECT t.team_id, COUNT(*) AS n FROM tokens t JOIN applications a ON a.id = t.application_id
		WHERE t.kind = 'manual' AND t.revoked_at = 0 AND t.expires_at > ? AND t.expires_at <= ? AND t.epoch = a.epoch AND a.deleted_at = 0
		GROUP BY t.team_id ORDER BY n DESC, t.team_id`
)

// Waiting reads it, for operators: of all teams, with the IDs of at most so many.
func (s *Store) Waiting(ctx context.Context, teams int) (Waiting, error) {
	var w Waiting
	if err := s.one(ctx, countDeliveries, nil, &w.Deliveries, &w.Failed); err != nil {
		return Waiting{}, err
	}
	now := s.now()
	err := s.each(ctx, expiringByTeam, []any{now, week.Before(now)}, func(row *sql.Rows) error {
		var of TeamCount
		if err := row.Scan(&of.TeamID, &of.Count); err != nil {
			return err
		}
		w.Teams++
		w.Tokens += of.Count
		if len(w.Expiring) < teams {
			w.Expiring = append(w.Expiring, of)
		}
		return nil
	})
	return w, err
}
