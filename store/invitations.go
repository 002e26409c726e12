package store

import (
	"context"
	"errors"
	"strconv"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// Invitations lists the pending invitations of a team, the last first.
func (s *Store) Invitations(ctx context.Context, team string) ([]models.InvitationRow, error) {
	var rows []models.InvitationRow
	err := s.read(ctx).Raw(`SELECT i.id, i.team_id, i.email, i.email_key, i.role, i.created_at, i.created_by, i.expires_at, COALESCE(u.name, '') AS created_by_name
		FROM invitations i LEFT JOIN users u ON u.id = i.created_by
		WHERE i.team_id = ? AND i.expires_at > ? ORDER BY i.created_at DESC, i.id DESC`, team, s.now()).Scan(&rows).Error
	return rows, translate(err)
}

// Invitation finds one pending invitation of a team.
func (s *Store) Invitation(ctx context.Context, team, id string) (models.Invitation, error) {
	var invitation models.Invitation
	err := s.read(ctx).Omit("code_hash", "sealed").Where("id = ? AND team_id = ? AND expires_at > ?", id, team, s.now()).Take(&invitation).Error
	return invitation, translate(err)
}

// Invite stores an invitation and returns its ID: that of the earlier one where the form
// was posted before. An address that is a member's or has a pending invitation, and a
// team with too many, give models.FieldErrors (email).
func (s *Store) Invite(ctx context.Context, actor models.Actor, invitation models.Invitation, formKey string) (string, error) {
	id := invitation.ID
	err := s.write(ctx, actor, models.AuditMemberInvited, func(c change) error {
		if err := c.ownedBy(actor); err != nil {
			return err
		}
		earlier, err := c.once(actor.TeamID, formKey, invitation.ID)
		if err != nil {
			return err
		}
		if earlier != "" {
			id = earlier
			return errNothingToDo
		}
		if err := c.checkInvited(actor.TeamID, invitation); err != nil {
			return err
		}
		invitation.TeamID, invitation.CreatedBy, invitation.CreatedAt = actor.TeamID, actor.UserID, c.now
		invitation.ExpiresAt = c.now.Add(models.InvitationLife)
		c.about("invitation", invitation.ID, invitation.Email)
		c.event.Detail = invitation.Role.Title()
		if err := c.sealedOpen(invitation.Sealed); err != nil {
			return err
		}
		err = c.Create(&invitation).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return models.FieldErrors{"email": "This address has an invitation already. Copy its link on the Team page, or cancel it and invite again."}
		}
		return err
	})
	return id, err
}

func (c change) checkInvited(team string, invitation models.Invitation) error {
	if err := c.Exec("DELETE FROM invitations WHERE team_id = ? AND expires_at <= ?", team, c.now).Error; err != nil {
		return err
	}
	var have struct{ Members, All, Pending int64 }
	err := c.Raw(`SELECT (SELECT COUNT(*) FROM members m JOIN users u ON u.id = m.user_id WHERE m.team_id = ? AND u.email_key = ?) AS members,
		(SELECT COUNT(*) FROM members WHERE team_id = ?) AS "all", (SELECT COUNT(*) FROM invitations WHERE team_id = ?) AS pending`,
		team, invitation.EmailKey, team, team).Scan(&have).Error
	if err != nil {
		return err
	}
	allowed, plan, err := c.memberLimit(team)
	switch {
	case err != nil:
		return err
	case have.Members > 0:
		return models.FieldErrors{"email": invitation.Email + " is a member of this team already."}
	case have.Pending >= models.MaxInvitations:
		return models.FieldErrors{"email": "The team has " + strconv.Itoa(models.MaxInvitations) + " pending invitations, as many as there may be. Cancel one first."}
	case allowed > 0 && have.All+have.Pending >= allowed:
		return models.FieldErrors{"email": "The team’s plan, " + plan + ", allows " + models.Count(allowed, "member") + ", pending invitations counted. " + largerPlan}
	}
	return nil
}

// RevealInvitation records that a link is shown and then returns its code sealed.
func (s *Store) RevealInvitation(ctx context.Context, actor models.Actor, id string) (models.Invitation, error) {
	var invitation models.Invitation
	err := s.write(ctx, actor, models.AuditInvitationShown, func(c change) error {
		invitation = models.Invitation{}
		if err := c.ownedBy(actor); err != nil {
			return err
		}
		err := c.Where("id = ? AND team_id = ? AND expires_at > ?", id, actor.TeamID, c.now).Take(&invitation).Error
		c.about("invitation", invitation.ID, invitation.Email)
		return err
	})
	return invitation, err
}

// CancelInvitation ends a pending invitation now.
func (s *Store) CancelInvitation(ctx context.Context, actor models.Actor, id string) (models.Invitation, error) {
	var invitation models.Invitation
	err := s.write(ctx, actor, models.AuditInvitationCancelled, func(c change) error {
		invitation = models.Invitation{}
		if err := c.ownedBy(actor); err != nil {
			return err
		}
		if err := c.Where("id = ? AND team_id = ? AND expires_at > ?", id, actor.TeamID, c.now).Take(&invitation).Error; err != nil {
			return err
		}
		c.about("invitation", invitation.ID, invitation.Email)
		return c.Exec("DELETE FROM invitations WHERE id = ? AND team_id = ?", id, actor.TeamID).Error
	})
	return invitation, err
}

// disownInvitations ends the pending invitations that somebody who is an owner no more has
// made or was shown the link of, in a team or, where it is empty, in all: they would lead
// back in. It notes how many that were.
func (c change) disownInvitations(team, userID string) error {
	result := c.Exec(`DELETE FROM invitations WHERE (team_id = ? OR ? = '') AND (created_by = ? OR id IN
		(SELECT target_id FROM audit_events WHERE actor_id = ? AND action = ?))`, team, team, userID, userID, models.AuditInvitationShown)
	if result.Error == nil && result.RowsAffected > 0 {
		c.noted(models.Count(result.RowsAffected, "pending invitation") + " cancelled")
	}
	return result.Error
}

// InvitationByCode finds an invitation that works, by the SHA-256 of its code. It takes
// no team: the code is the proof.
func (s *Store) InvitationByCode(ctx context.Context, codeHash []byte) (models.OpenInvitation, error) {
	open, err := change{DB: s.read(ctx), now: s.now()}.invitation(codeHash)
	return open, translate(err)
}

func (c change) invitation(codeHash []byte) (models.OpenInvitation, error) {
	var open models.OpenInvitation
	err := c.Raw(`SELECT i.id, i.team_id, i.email, i.email_key, i.role, i.created_at, i.created_by, i.expires_at,
		t.name AS team_name, COALESCE(u.name, '') AS invited_by_name
		FROM invitations i JOIN teams t ON t.id = i.team_id AND t.suspended_at = 0 LEFT JOIN users u ON u.id = i.created_by
		WHERE i.code_hash = ? AND i.expires_at > ?`, codeHash, c.now).Take(&open).Error
	return open, err
}

// useInvitation ends an invitation that works, and says in the event who joins by it.
func (c change) useInvitation(codeHash []byte) (models.OpenInvitation, error) {
	open, err := c.invitation(codeHash)
	if err != nil {
		return open, err
	}
	c.event.TeamID, c.event.ActorRole = open.TeamID, open.Role
	c.event.Detail = open.Role.Title()
	if open.InvitedByName != "" {
		c.event.Detail += ", invited by " + open.InvitedByName
	}
	return open, affected(c.Exec("DELETE FROM invitations WHERE id = ? AND team_id = ?", open.ID, open.TeamID), models.ErrNotFound)
}

// AcceptInvitation makes the account of somebody who was invited and is new here. An
// invitation that does not work gives models.ErrNotFound, an address that has an account
// models.FieldErrors (email), a full team models.FieldErrors (team).
func (s *Store) AcceptInvitation(ctx context.Context, actor models.Actor, codeHash []byte, account Account) (models.User, error) {
	var user models.User
	err := s.write(ctx, actor, models.AuditMemberJoined, func(c change) error {
		open, err := c.useInvitation(codeHash)
		if err != nil {
			return err
		}
		account.Email = open.Email
		if user, err = c.newUser(account); err != nil {
			return err
		}
		c.event.ActorID, c.event.ActorName = user.ID, user.Name
		c.about("user", user.ID, user.Name)
		return c.addMember(open.TeamID, user.ID, open.Role)
	})
	return user, err
}

// JoinTeam uses an invitation for the account that is signed in, whose address it must
// name; the session acts in that team from then on. Who is in the team already keeps the
// role. Other errors are those of AcceptInvitation.
func (s *Store) JoinTeam(ctx context.Context, actor models.Actor, session, codeHash []byte) (models.OpenInvitation, error) {
	var open models.OpenInvitation
	err := s.write(ctx, actor, models.AuditMemberJoined, func(c change) error {
		var user models.User
		if err := c.Where("id = ? AND disabled_at = 0", actor.UserID).Take(&user).Error; err != nil {
			return err
		}
		var err error
		if open, err = c.useInvitation(codeHash); err != nil {
			return err
		}
		if open.EmailKey != user.EmailKey {
			return models.ErrNotFound
		}
		c.about("user", user.ID, user.Name)
		before, err := c.member(open.TeamID, user.ID)
		switch {
		case errors.Is(err, gorm.ErrRecordNotFound):
			err = c.addMember(open.TeamID, user.ID, open.Role)
		case err == nil:
			c.event.ActorRole, c.event.Detail = before.Role, "Was a member already"
		}
		if err != nil {
			return err
		}
		return c.actIn(user.ID, session, open.TeamID)
	})
	return open, err
}
