package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// Shrink gives some free space back to the disk and reports whether that was all. On
// SQLite a tenth of the file stays free, and a file of an earlier version keeps its size
// and uses its free space again; PostgreSQL sees to it itself.
func (s *Store) Shrink(ctx context.Context) (done bool, err error) { return s.engine.shrink(ctx) }

// Space is how much disk the database takes.
type Space struct {
	Pages, FreePages, PageSize int64
	// WALBytes is the size of the write-ahead log.
	WALBytes int64
	// Shrinks tells whether free space can be given back.
	Shrinks bool
	// InFile tells that it is a file, with free space and a log that this program sees to.
	InFile bool
}

// Bytes is the size of the file.
func (s Space) Bytes() int64 { return s.Pages * s.PageSize }

// FreeBytes is what of it is free to be used again.
func (s Space) FreeBytes() int64 { return s.FreePages * s.PageSize }

// Status counts what the database holds.
type Status struct {
	Space                                                              `gorm:"-"`
	Users, Teams, Applications, ResourceServers, Sessions, AuditEvents int64
	// Assertions counts those that were used and are still remembered.
	Assertions int64

	Tokens []TokenCount `gorm:"-"`
}

// TokenCount counts the tokens of one kind by what they are now.
type TokenCount struct {
	Kind                     models.TokenKind
	Active, Expired, Revoked int64
}

// Overview is Status without what takes long where there are many rows: tokens, audit
// events and assertions.
func (s *Store) Overview(ctx context.Context) (Status, error) {
	var status Status
	space, err := s.engine.space(ctx)
	if err != nil {
		return status, err
	}
	err = s.read(ctx).Raw(`SELECT (SELECT COUNT(*) FROM users) AS users, (SELECT COUNT(*) FROM teams) AS teams,
		(SELECT COUNT(*) FROM applications WHERE deleted_at = 0) AS applications, (SELECT COUNT(*) FROM resource_servers) AS resource_servers,
		(SELECT COUNT(*) FROM sessions) AS sessions`).Scan(&status).Error
	status.Space = space
	return status, translate(err)
}

// Status reads the whole table of tokens: a second for each few million.
func (s *Store) Status(ctx context.Context) (Status, error) {
	status, err := s.Overview(ctx)
	if err != nil {
		return status, err
	}
	var long struct{ AuditEvents, Assertions int64 }
	err = s.read(ctx).Raw(`SELECT (SELECT COUNT(*) FROM audit_events) AS audit_events,
		(SELECT COUNT(*) FROM client_assertions) AS assertions`).Scan(&long).Error
	if err != nil {
		return status, translate(err)
	}
	status.AuditEvents, status.Assertions = long.AuditEvents, long.Assertions
	status.Tokens, err = s.TokenCounts(ctx)
	return status, err
}

// TokenCounts reads the whole table of tokens.
func (s *Store) TokenCounts(ctx context.Context) ([]TokenCount, error) {
	var counts []TokenCount
	now := s.now()
	err := s.read(ctx).Raw(`SELECT t.kind, COUNT(*) FILTER (WHERE t.revoked_at <> 0 OR t.epoch < a.epoch) AS revoked,
		COUNT(*) FILTER (WHERE t.revoked_at = 0 AND t.epoch = a.epoch AND t.expires_at <= ?) AS expired,
		COUNT(*) FILTER (WHERE t.revoked_at = 0 AND t.epoch = a.epoch AND t.expires_at > ?) AS active
		FROM tokens t JOIN applications a ON a.id = t.application_id GROUP BY t.kind ORDER BY t.kind`, now, now).Scan(&counts).Error
	return counts, translate(err)
}
