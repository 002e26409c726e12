package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// Sessions lists those of one user, the one used last first.
func (s *Store) Sessions(ctx context.Context, userID string) ([]models.Session, error) {
	var rows []models.Session
	err := s.read(ctx).Where("user_id = ?", userID).Order("last_seen_at DESC, created_at DESC, ref").Find(&rows).Error
	return rows, translate(err)
}

// EndOwnSession ends one session of the actor; another's is models.ErrNotFound.
func (s *Store) EndOwnSession(ctx context.Context, actor models.Actor, ref string) error {
	return s.changeOwn(ctx, actor, models.AuditSessionEnded, func(c change, user models.User) error {
		var session models.Session
		if err := c.Where("ref = ? AND user_id = ?", ref, user.ID).Take(&session).Error; err != nil {
			return err
		}
		c.event.Detail = models.BrowserName(session.Browser) + ", " + session.Address
		return c.Exec("DELETE FROM sessions WHERE ref = ? AND user_id = ?", ref, user.ID).Error
	})
}

// EndOtherSessions ends all sessions of the actor but the one of this ID.
func (s *Store) EndOtherSessions(ctx context.Context, actor models.Actor, keep []byte) error {
	return s.changeOwn(ctx, actor, models.AuditSessionsEnded, func(c change, user models.User) error {
		result := c.Exec("DELETE FROM sessions WHERE user_id = ? AND id_hash <> ?", user.ID, keep)
		c.event.Detail = models.Count(result.RowsAffected, "session")
		return affected(result, errNothingToDo)
	})
}

// AccountEvents are the last events about a person's account, in whatever team they stand.
func (s *Store) AccountEvents(ctx context.Context, userID string, limit int) ([]models.AuditEvent, error) {
	var rows []models.AuditEvent
	err := s.read(ctx).Raw(`SELECT * FROM audit_events WHERE id IN (
			SELECT id FROM (SELECT id FROM audit_events WHERE actor_id = @user AND action IN @own ORDER BY at DESC LIMIT @limit) AS done
			UNION SELECT id FROM (SELECT id FROM audit_events WHERE target_id = @user AND action NOT IN @quiet ORDER BY at DESC LIMIT @limit) AS suffered)
		ORDER BY at DESC, id DESC LIMIT @limit`,
		map[string]any{"user": userID, "own": models.OwnDeeds, "quiet": models.QuietDeeds, "limit": limit}).Scan(&rows).Error
	return rows, translate(err)
}

// Failures are tries to be somebody that failed.
type Failures struct {
	Count  int64
	LastAt models.Time
}

// NewFailures counts the failed tries on an account that its owner was not shown yet.
func (s *Store) NewFailures(ctx context.Context, user models.User) (Failures, error) {
	var found Failures
	err := s.read(ctx).Raw("SELECT COUNT(*) AS count, COALESCE(MAX(at), 0) AS last_at FROM audit_events WHERE target_id = ? AND at > ? AND action IN ?",
		user.ID, user.FailuresSeenAt, models.FailedProofs).Scan(&found).Error
	return found, translate(err)
}

// SeeFailures notes until when the owner of an account was shown the failed tries on it.
func (s *Store) SeeFailures(ctx context.Context, userID string, until models.Time) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE users SET failures_seen_at = ? WHERE id = ? AND failures_seen_at < ?", until, userID, until).Error
	})
}
