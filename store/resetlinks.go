package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/latchkey/latchkey/models"
)

// maxResetLinks is how many links that set a password one user may have; the oldest ends.
// A stranger who keeps asking for one so ends none that the owner has just got.
const maxResetLinks = 5

// resetBound is what a link was made for: neither another address nor another password
// than those of that moment.
type resetBound struct {
	EmailKey     string `json:"email_key"`
	PasswordHash string `json:"password_hash"`
}

// MakeResetLink stores the SHA-256 of a link's code, with which the user sets a password.
// mailed says whether it goes out by mail or through the operator's hands.
func (s *Store) MakeResetLink(ctx context.Context, actor models.Actor, userID string, codeHash []byte, lives time.Duration, mailed bool) error {
	action := models.AuditResetLinkMade
	if mailed {
		action = models.AuditResetLinkMailed
	}
	return s.operate(ctx, actor, action, func(c change) error {
		user, err := c.user(userID)
		if err != nil {
			return err
		}
		if !user.DisabledAt.IsZero() {
			return models.ErrConflict
		}
		return c.makeResetLink(user, codeHash, lives)
	})
}

// AskForResetLink is MakeResetLink for whoever has forgotten a password, and knows no
// more than the email.
func (s *Store) AskForResetLink(ctx context.Context, actor models.Actor, user models.User, codeHash []byte) error {
	return s.write(ctx, actor, models.AuditResetLinkMailed, func(c change) error {
		if _, err := c.user(user.ID); err != nil {
			return err
		}
		var err error
		if c.event.TeamID, err = c.firstTeam(user.ID); err != nil {
			return err
		}
		return c.makeResetLink(user, codeHash, models.ResetLinkLives)
	})
}

func (c change) makeResetLink(user models.User, codeHash []byte, lives time.Duration) error {
	data, err := json.Marshal(resetBound{user.EmailKey, user.PasswordHash})
	if err != nil {
		return err
	}
	link := models.Ceremony{IDHash: codeHash, Kind: models.CeremonyReset, UserID: user.ID, Data: string(data), CreatedAt: c.now, ExpiresAt: c.now.Add(lives)}
	if err := c.Create(&link).Error; err != nil {
		return err
	}
	return c.Exec(`DELETE FROM ceremonies WHERE user_id = ? AND kind = ? AND id_hash NOT IN
		(SELECT id_hash FROM ceremonies WHERE user_id = ? AND kind = ? ORDER BY created_at DESC, id_hash LIMIT ?)`,
		user.ID, models.CeremonyReset, user.ID, models.CeremonyReset, maxResetLinks).Error
}

// ResetLink finds whom a link is for, and the names of their teams, without using it up.
// One that is unknown, used or expired, or not right for the account any more, gives
// models.ErrNotFound. The code is the proof.
func (s *Store) ResetLink(ctx context.Context, codeHash []byte) (user models.User, teams []string, err error) {
	link, err := s.Ceremony(ctx, codeHash, models.CeremonyReset)
	if err != nil {
		return user, nil, err
	}
	if user, err = s.User(ctx, link.UserID); err != nil {
		return user, nil, err
	}
	if err := stillRight(link, user); err != nil {
		return models.User{}, nil, err
	}
	err = s.read(ctx).Raw("SELECT t.name FROM teams t JOIN members m ON m.team_id = t.id WHERE m.user_id = ?", user.ID).Scan(&teams).Error
	return user, teams, translate(err)
}

func stillRight(link models.Ceremony, user models.User) error {
	var bound resetBound
	if err := json.Unmarshal([]byte(link.Data), &bound); err != nil {
		return fmt.Errorf("reading a link: %w", err)
	}
	if !user.DisabledAt.IsZero() || bound != (resetBound{user.EmailKey, user.PasswordHash}) {
		return models.ErrNotFound
	}
	return nil
}

// ResetPassword uses a link up: it stores the hash of the new password and ends every
// session and every other link of the user. Of two at once one succeeds, and the other
// gets models.ErrNotFound, as in ResetLink.
func (s *Store) ResetPassword(ctx context.Context, actor models.Actor, codeHash []byte, passwordHash string) (models.User, error) {
	var user models.User
	err := s.write(ctx, actor, models.AuditPasswordReset, func(c change) error {
		var link models.Ceremony
		if err := c.Where("id_hash = ? AND kind = ? AND expires_at > ?", codeHash, models.CeremonyReset, c.now).Take(&link).Error; err != nil {
			return err
		}
		var err error
		if user, err = c.user(link.UserID); err != nil {
			return err
		}
		if err := stillRight(link, user); err != nil {
			return err
		}
		c.event.ActorID, c.event.ActorName = user.ID, user.Name
		if c.event.TeamID, err = c.firstTeam(user.ID); err != nil {
			return err
		}
		user.PasswordHash = passwordHash
		if err := c.Exec("UPDATE users SET password_hash = ? WHERE id = ?", passwordHash, user.ID).Error; err != nil {
			return err
		}
		return c.endAll(user.ID)
	})
	return user, err
}
