package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// RevocationsRead bounds what one call of Revocations returns.
	RevocationsRead = 1000
	// keepRevocations is how long a resource server may be away and still learn what it missed.
	keepRevocations = 6 * time.Hour

	// The first rows go first, so that there is no gap whatever the clocks of nodes say, and
	// the newest stays, where everybody who follows stands.
	deleteRevocations = `DELETE FROM revocations WHERE seq IN (SELECT seq FROM revocations
		WHERE seq <= (SELECT MAX(seq) FROM revocations WHERE at < ?) AND seq < (SELECT seq FROM revocation_head) ORDER BY seq LIMIT ?)`
)

// tokensStay are the deeds on an application that leave its tokens as they were, but those
// that they name. A deed that is not listed has resource servers forget all of them.
var tokensStay = []models.AuditAction{
	models.AuditTokenCreated, models.AuditTokenShown, models.AuditTokenRevoked, models.AuditTokenUsed, models.AuditTemporaryReplaced,
	models.AuditSecretRotated, models.AuditSecretRetired, models.AuditSecretShown, models.AuditSecretRemoved,
	models.AuditKeyAdded, models.AuditKeyRemoved, models.AuditApplicationTaken, models.AuditFindingKept,
}

// publish keeps what resource servers must hear of the change, in its transaction. It comes
// last: from here to the commit others that publish wait.
func (c change) publish() error {
	var rows []models.Revocation
	for _, notice := range *c.notices {
		row := models.Revocation{At: c.now, TokenID: notice.TokenID, TokenHash: notice.TokenHash}
		if len(notice.TokenHash) == 0 && !slices.Contains(tokensStay, c.event.Action) {
			row.ApplicationID = notice.ApplicationID
		}
		if notice.TeamTokens {
			row.TeamID = notice.TeamID
		}
		if len(row.TokenHash) > 0 || row.ApplicationID != "" || row.TeamID != "" {
			rows = append(rows, row)
		}
	}
	rows = slices.CompactFunc(rows, func(a, b models.Revocation) bool {
		return len(a.TokenHash)+len(b.TokenHash) == 0 && a.ApplicationID == b.ApplicationID && a.TeamID == b.TeamID
	})
	mark := NewID()
	if slices.ContainsFunc(*c.notices, everything) {
		// A number that no entry has: whoever follows finds a gap, and forgets everything.
		return c.Exec("UPDATE revocation_head SET seq = seq + 1, mark = ?", mark).Error
	}
	if len(rows) == 0 {
		return nil
	}
	var last int64
	if err := c.Raw("UPDATE revocation_head SET seq = seq + ?, mark = ? RETURNING seq", len(rows), mark).Scan(&last).Error; err != nil {
		return err
	}
	for i := range rows {
		rows[i].Position = models.Position{Seq: last - int64(len(rows)-1-i), Mark: mark}
	}
	return c.CreateInBatches(rows, 100).Error
}

// Revocations returns the newest position of the feed and what stands in it from seq on, at
// most RevocationsRead entries: of one moment.
func (s *Store) Revocations(ctx context.Context, seq int64) (models.Position, []models.Revocation, error) {
	var head models.Position
	var rows []models.Revocation
	if err := s.engine.present(); err != nil {
		return head, nil, err
	}
	err := s.each(ctx, `SELECT h.seq, h.mark, r.seq, r.mark, r.token_id, r.token_hash, r.application_id, r.team_id
		FROM revocation_head h LEFT JOIN revocations r ON r.seq >= (SELECT ?) ORDER BY r.seq LIMIT `+strconv.Itoa(RevocationsRead), []any{seq},
		func(row *sql.Rows) error {
			var number sql.NullInt64
			var mark, token, application, team sql.NullString
			var hash []byte
			err := row.Scan(&head.Seq, &head.Mark, &number, &mark, &token, &hash, &application, &team)
			if number.Valid {
				rows = append(rows, models.Revocation{
					Position: models.Position{Seq: number.Int64, Mark: mark.String},
					TokenID:  token.String, TokenHash: hash, ApplicationID: application.String, TeamID: team.String,
				})
			}
			return err
		})
	return head, rows, err
}
