package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// Identity finds the account of a person at the provider: the proof is what the
// provider signed.
func (s *Store) Identity(ctx context.Context, issuer, subject string) (models.Identity, models.User, error) {
	var identity models.Identity
	var user models.User
	err := s.read(ctx).Where("issuer = ? AND subject = ?", issuer, subject).Take(&identity).Error
	if err == nil {
		err = s.read(ctx).Where("id = ?", identity.UserID).Take(&user).Error
	}
	return identity, user, translate(err)
}

// IdentityOf finds who a user is at the provider.
func (s *Store) IdentityOf(ctx context.Context, userID, issuer string) (models.Identity, error) {
	var identity models.Identity
	err := s.read(ctx).Where("user_id = ? AND issuer = ?", userID, issuer).Take(&identity).Error
	return identity, translate(err)
}

// SeeIdentity notes that an identity was used, and what address it has now; an empty
// one leaves what there is.
func (s *Store) SeeIdentity(ctx context.Context, identity models.Identity, email string) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE identities SET last_used_at = ?, email = CASE ? WHEN '' THEN email ELSE ? END WHERE issuer = ? AND subject = ?",
			s.now(), email, email, identity.Issuer, identity.Subject).Error
	})
}

// LinkIdentity gives the actor another way in. The address that the provider verified
// has to be the account's: else, and where either has a link already, it is
// models.ErrConflict.
func (s *Store) LinkIdentity(ctx context.Context, actor models.Actor, identity models.Identity) error {
	return s.write(ctx, actor, models.AuditProviderLinked, func(c change) error {
		var user models.User
		if err := c.Where("id = ? AND disabled_at = 0", actor.UserID).Take(&user).Error; err != nil {
			return err
		}
		if user.EmailKey != models.EmailKey(identity.Email) {
			return models.ErrConflict
		}
		c.about("user", user.ID, user.Name)
		c.event.Detail = identity.Issuer
		return c.storeIdentity(identity, user.ID)
	})
}

func (c change) storeIdentity(identity models.Identity, userID string) error {
	identity.UserID, identity.CreatedAt = userID, c.now
	return c.Create(&identity).Error
}

// UnlinkIdentity takes the actor's way in through the provider away and ends the
// sessions that came by it, all but the one to keep. The only way in stays:
// models.FieldErrors (provider).
func (s *Store) UnlinkIdentity(ctx context.Context, actor models.Actor, issuer string, keep []byte) error {
	return s.write(ctx, actor, models.AuditProviderUnlinked, func(c change) error {
		c.about("user", actor.UserID, actor.UserName)
		c.event.Detail = issuer
		if err := affected(c.Exec("DELETE FROM identities WHERE user_id = ? AND issuer = ?", actor.UserID, issuer), models.ErrNotFound); err != nil {
			return err
		}
		if left, err := waysIn(c.DB, actor.UserID); err != nil {
			return err
		} else if left == 0 {
			return models.FieldErrors{"provider": "This is your only way in. Add another one first."}
		}
		return c.Exec("DELETE FROM sessions WHERE user_id = ? AND method = ? AND id_hash <> ?", actor.UserID, models.ByProvider, keep).Error
	})
}

// WaysIn counts the ways in which a user can sign in without anybody's help.
func (s *Store) WaysIn(ctx context.Context, userID string) (int, error) {
	n, err := waysIn(s.read(ctx), userID)
	return n, translate(err)
}

func waysIn(tx *gorm.DB, userID string) (int, error) {
	var n int
	err := tx.Raw(`SELECT (SELECT COUNT(*) FROM users WHERE id = ? AND password_hash <> '')
		+ (SELECT COUNT(*) FROM identities WHERE user_id = ?) + (SELECT COUNT(*) FROM passkeys WHERE user_id = ?)`, userID, userID, userID).Scan(&n).Error
	return n, err
}

// JoinByProvider makes an account without a password for a person whom the provider
// vouches for, in a team that exists. It returns models.FieldErrors where that team is
// not one that can be joined (team), and models.ErrConflict where the person or the
// address has got an account meanwhile.
func (s *Store) JoinByProvider(ctx context.Context, actor models.Actor, identity models.Identity, name string, place models.Newcomers) (models.User, error) {
	user := models.User{ID: NewID(), Name: name, Email: identity.Email, EmailKey: models.EmailKey(identity.Email)}
	err := s.write(ctx, actor, models.AuditUserAdded, func(c change) error {
		team, err := c.teamToJoin(place.Team)
		if err != nil {
			return err
		}
		user.CreatedAt = c.now
		if err := c.Create(&user).Error; err != nil {
			return err
		}
		if err := c.storeIdentity(identity, user.ID); err != nil {
			return err
		}
		c.event.TeamID, c.event.ActorID, c.event.ActorName, c.event.ActorRole = team.ID, user.ID, user.Name, place.Role
		c.about("user", user.ID, user.Name)
		c.event.Detail = place.Role.Title() + " of " + team.Name + ", by " + identity.Issuer
		return c.addMember(team.ID, user.ID, place.Role)
	})
	return user, err
}

// teamToJoin finds a team by its ID or, where only one has it, by its name. One that is
// suspended is meant all the same: nobody joins another in its place.
func (c change) teamToJoin(named string) (models.Team, error) {
	var teams []models.Team
	if err := c.Where("id = ?", named).Find(&teams).Error; err != nil {
		return models.Team{}, err
	}
	if len(teams) == 0 {
		if err := c.Where("name_key = ?", models.FoldName(named)).Limit(2).Find(&teams).Error; err != nil {
			return models.Team{}, err
		}
	}
	switch {
	case len(teams) > 1:
		return models.Team{}, models.FieldErrors{"team": "Several teams are called " + named + "."}
	case len(teams) == 0, !teams[0].SuspendedAt.IsZero():
		return models.Team{}, models.FieldErrors{"team": "There is no team " + named + " that people can join."}
	}
	return teams[0], nil
}
