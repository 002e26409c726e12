package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// SetCalendarFeed gives the actor a calendar feed of their team under a new code. The
// code before ends.
func (s *Store) SetCalendarFeed(ctx context.Context, actor models.Actor, codeHash []byte) error {
	return s.write(ctx, actor, models.AuditCalendarFeedMade, func(c change) error {
		c.about("calendar feed", actor.UserID, actor.UserName)
		return c.Exec(`INSERT INTO calendar_feeds (team_id, user_id, code_hash, created_at) VALUES (?, ?, ?, ?)
			ON CONFLICT (team_id, user_id) DO UPDATE SET code_hash = excluded.code_hash, created_at = excluded.created_at, last_used_at = 0`,
			actor.TeamID, actor.UserID, codeHash, c.now).Error
	})
}

// RemoveCalendarFeed switches the actor's feed of their team off.
func (s *Store) RemoveCalendarFeed(ctx context.Context, actor models.Actor) error {
	return s.write(ctx, actor, models.AuditCalendarFeedEnded, func(c change) error {
		c.about("calendar feed", actor.UserID, actor.UserName)
		return affected(c.Exec("DELETE FROM calendar_feeds WHERE team_id = ? AND user_id = ?", actor.TeamID, actor.UserID), errNothingToDo)
	})
}

// CalendarFeed finds a member's feed of a team; models.ErrNotFound where it is off. One
// that was made in an earlier membership is.
func (s *Store) CalendarFeed(ctx context.Context, team, user string) (models.CalendarFeed, error) {
	var feed models.CalendarFeed
	err := s.read(ctx).Raw(`SELECT f.team_id, f.user_id, f.created_at, f.last_used_at FROM calendar_feeds f
		JOIN members m ON m.team_id = f.team_id AND m.user_id = f.user_id AND m.created_at <= f.created_at
		WHERE f.team_id = ? AND f.user_id = ?`, team, user).Take(&feed).Error
	return feed, translate(err)
}

// CalendarByCode finds whose feed a code is, and of which team. It takes no team: the
// code is the proof. It is good while its owner is a member, as since it was made,
// neither disabled nor in a team that is suspended.
func (s *Store) CalendarByCode(ctx context.Context, codeHash []byte) (models.CalendarFeed, models.Team, error) {
	var found struct {
		models.CalendarFeed `gorm:"embedded"`
		TeamName            string
	}
	err := s.read(ctx).Raw(`SELECT f.team_id, f.user_id, f.created_at, f.last_used_at, t.name AS team_name FROM calendar_feeds f
		JOIN members m ON m.team_id = f.team_id AND m.user_id = f.user_id AND m.created_at <= f.created_at
		JOIN users u ON u.id = f.user_id AND u.disabled_at = 0 JOIN teams t ON t.id = f.team_id AND t.suspended_at = 0
		WHERE f.code_hash = ?`, codeHash).Take(&found).Error
	return found.CalendarFeed, models.Team{ID: found.TeamID, Name: found.TeamName}, translate(err)
}

// SeeCalendar notes that a feed was read, at most once a minute.
func (s *Store) SeeCalendar(ctx context.Context, feed models.CalendarFeed) error {
	now := s.now()
	if now.Sub(feed.LastUsedAt) < seenEvery {
		return nil
	}
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE calendar_feeds SET last_used_at = ? WHERE team_id = ? AND user_id = ?", now, feed.TeamID, feed.UserID).Error
	})
}
