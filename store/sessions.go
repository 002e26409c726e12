package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

const (
	// maxSessions is how many sessions one user may have; the one unused longest ends.
	maxSessions = 20
	// maxBrowsers is how many browsers of a user are remembered.
	maxBrowsers = 20
	// seenEvery bounds how often a session in use is written.
	seenEvery = time.Minute
)

// SignIn stores a new session with a new ID, ends the row that the browser had
// before, and remembers the browser. Where what was proved does not hold any more,
// or the account was disabled, there is no session (models.ErrNotFound); nor without
// a second factor where there is one (models.ErrForbidden). The session acts in the
// team that its user acted in last, else joined first, if there is one.
func (s *Store) SignIn(ctx context.Context, actor models.Actor, session models.Session, proof models.Proof, before, browser []byte) error {
	return s.write(ctx, actor, models.AuditSignedIn, func(c change) error {
		var user models.User
		if err := c.Where("id = ? AND disabled_at = 0", proof.UserID).Take(&user).Error; err != nil {
			return err
		}
		if err := c.holds(user, proof); err != nil {
			return err
		}
		if err := c.spend(user, proof); err != nil {
			return err
		}
		session.UserID, session.Method, session.ProvenAt = proof.UserID, proof.Method, proof.ProvenAt(c.now)
		c.about("user", user.ID, user.Name)
		c.event.Detail = proof.Words()
		if proof.NewBrowser {
			c.event.Detail += ", in a new browser"
		}
		var err error
		if session.TeamID, err = c.firstTeam(session.UserID); err != nil {
			return err
		}
		c.event.TeamID = session.TeamID
		if err := c.Exec("DELETE FROM sessions WHERE id_hash = ?", before).Error; err != nil {
			return err
		}
		if err := c.storeSession(session); err != nil {
			return err
		}
		if err := c.Exec("UPDATE users SET last_seen_at = ? WHERE id = ?", c.now, session.UserID).Error; err != nil {
			return err
		}
		return c.rememberBrowser(session.UserID, browser)
	})
}

// holds returns models.ErrNotFound for a proof that is not good any more: the password was
// changed, or the link with the provider ended, since it was given.
func (c change) holds(user models.User, proof models.Proof) error {
	switch proof.Method {
	case models.ByPassword:
		if proof.PasswordHash != user.PasswordHash {
			return models.ErrNotFound
		}
	case models.ByProvider:
		return c.Where("user_id = ?", user.ID).Take(&models.Identity{}).Error
	}
	return nil
}

// Confirm gives the session a new ID and a fresh proof of identity. A session
// that has ended meanwhile stays ended: models.ErrNotFound.
func (s *Store) Confirm(ctx context.Context, actor models.Actor, session models.Session, before []byte) error {
	return s.write(ctx, actor, models.AuditIdentityConfirmed, func(c change) error {
		if err := affected(c.Exec("DELETE FROM sessions WHERE id_hash = ?", before), models.ErrNotFound); err != nil {
			return err
		}
		session.ProvenAt = c.now
		return c.storeSession(session)
	})
}

func (c change) storeSession(session models.Session) error {
	if session.CreatedAt.IsZero() {
		session.CreatedAt = c.now
	}
	if session.Ref == "" {
		session.Ref = NewID()
	}
	session.LastSeenAt = c.now
	if err := c.Create(&session).Error; err != nil {
		return err
	}
	return c.Exec(`DELETE FROM sessions WHERE user_id = ? AND id_hash NOT IN
		(SELECT id_hash FROM sessions WHERE user_id = ? ORDER BY last_seen_at DESC, created_at DESC LIMIT ?)`,
		session.UserID, session.UserID, maxSessions).Error
}

func (c change) rememberBrowser(userID string, idHash []byte) error {
	// The user comes first: GORM spreads a byte slice that follows a parenthesis.
	err := c.Exec("INSERT INTO known_browsers (user_id, id_hash, created_at) VALUES (?, ?, ?) ON CONFLICT (user_id, id_hash) DO UPDATE SET created_at = excluded.created_at",
		userID, idHash, c.now).Error
	if err != nil {
		return err
	}
	return c.Exec(`DELETE FROM known_browsers WHERE user_id = ? AND id_hash NOT IN
		(SELECT id_hash FROM known_browsers WHERE user_id = ? ORDER BY created_at DESC LIMIT ?)`,
		userID, userID, maxBrowsers).Error
}

// KnownBrowser tells whether this user has signed in from this browser before.
func (s *Store) KnownBrowser(ctx context.Context, userID string, idHash []byte) (bool, error) {
	var found bool
	err := s.read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM known_browsers WHERE user_id = ? AND id_hash = ?)", userID, idHash).Scan(&found).Error
	return found, translate(err)
}

// NewBrowser tells whether this user has signed in before, but never from this browser.
func (s *Store) NewBrowser(ctx context.Context, userID string, idHash []byte) (bool, error) {
	var found bool
	err := s.read(ctx).Raw("SELECT COUNT(*) > 0 AND COUNT(*) FILTER (WHERE id_hash = ?) = 0 FROM known_browsers WHERE user_id = ?", idHash, userID).Scan(&found).Error
	return found, translate(err)
}

// Session finds a session and who acts in it, as the membership says now: without a
// team and a role where the team is suspended or the membership has ended. A disabled
// user gives models.ErrNotFound.
func (s *Store) Session(ctx context.Context, idHash []byte) (models.Session, models.Actor, error) {
	var session models.Session
	var actor models.Actor
	err := s.one(ctx, `SELECT s.id_hash, s.ref, s.user_id, s.team_id, s.method, s.created_at, s.last_seen_at, s.proven_at, s.address, s.browser, s.flash, s.pending,
		u.name, u.email, u.operator, u.time_zone, u.second_factor, COALESCE(t.id, ''), COALESCE(t.name, ''), COALESCE(t.requires_second_factor, FALSE),
		CASE WHEN t.id IS NULL THEN '' ELSE m.role END, (SELECT COUNT(*) FROM members mine WHERE mine.user_id = s.user_id)
		FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN members m ON m.user_id = s.user_id AND m.team_id = s.team_id
		LEFT JOIN teams t ON t.id = m.team_id AND t.suspended_at = 0
		WHERE s.id_hash = (SELECT ?) AND u.disabled_at = 0`, []any{idHash},
		&session.IDHash, &session.Ref, &session.UserID, &session.TeamID, &session.Method, &session.CreatedAt, &session.LastSeenAt, &session.ProvenAt, &session.Address, &session.Browser, &session.Flash, &session.Pending,
		&actor.UserName, &actor.Email, &actor.Operator, &actor.TimeZone, &actor.SecondFactor, &actor.TeamID, &actor.TeamName, &actor.RequiresSecondFactor,
		&actor.Role, &actor.Teams)
	actor.UserID = session.UserID
	return session, actor, err
}

// SeeSession notes that the session is in use, at most once a minute.
func (s *Store) SeeSession(ctx context.Context, session models.Session) error {
	now := s.now()
	if now.Sub(session.LastSeenAt) < seenEvery {
		return nil
	}
	return s.touch(ctx, func(tx *gorm.DB) error {
		if err := tx.Exec("UPDATE sessions SET last_seen_at = ? WHERE id_hash = ?", now, session.IDHash).Error; err != nil {
			return err
		}
		return tx.Exec("UPDATE users SET last_seen_at = ? WHERE id = ?", now, session.UserID).Error
	})
}

// SetFlash stores the message for the next page of a session; empty removes it.
func (s *Store) SetFlash(ctx context.Context, idHash []byte, flash string) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE sessions SET flash = ? WHERE id_hash = ?", flash, idHash).Error
	})
}

// SetPending keeps a deed that waits for a proof of identity; empty removes it.
func (s *Store) SetPending(ctx context.Context, idHash []byte, pending string) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE sessions SET pending = ? WHERE id_hash = ?", pending, idHash).Error
	})
}

// SignOut ends the session.
func (s *Store) SignOut(ctx context.Context, actor models.Actor, idHash []byte) error {
	return s.write(ctx, actor, models.AuditSignedOut, func(c change) error {
		return affected(c.Exec("DELETE FROM sessions WHERE id_hash = ?", idHash), errNothingToDo)
	})
}

// EndSession removes a session that ran out of time.
func (s *Store) EndSession(ctx context.Context, idHash []byte) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec("DELETE FROM sessions WHERE id_hash = ?", idHash).Error
	})
}

// ProofFailed records a wrong password for an account that exists: action is
// models.AuditSignInFailed or models.AuditConfirmFailed.
func (s *Store) ProofFailed(ctx context.Context, actor models.Actor, action models.AuditAction, user models.User) error {
	return s.write(ctx, actor, action, func(c change) error {
		c.about("user", user.ID, user.Email)
		if c.event.TeamID != "" {
			return nil
		}
		var err error
		c.event.TeamID, err = c.firstTeam(user.ID)
		return err
	})
}
