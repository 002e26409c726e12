package store

import (
	"context"
	"strconv"

	"github.com/latchkey/latchkey/models"
)

// Members lists everyone in a team, by name.
func (s *Store) Members(ctx context.Context, team string) ([]models.MemberRow, error) {
	var rows []models.MemberRow
	err := s.read(ctx).Raw(`SELECT m.team_id, m.user_id, m.role, m.created_at, u.name, u.email, u.second_factor, u.last_seen_at
		FROM members m JOIN users u ON u.id = m.user_id WHERE m.team_id = ? ORDER BY `+s.sql.folded("u.name")+`, u.id`, team).Scan(&rows).Error
	return rows, translate(err)
}

// Member finds one member of a team.
func (s *Store) Member(ctx context.Context, team, userID string) (models.MemberRow, error) {
	row, err := change{DB: s.read(ctx)}.member(team, userID)
	return row, translate(err)
}

func (c change) member(team, userID string) (models.MemberRow, error) {
	var row models.MemberRow
	err := c.Raw(`SELECT m.team_id, m.user_id, m.role, m.created_at, u.name, u.email, u.second_factor, u.last_seen_at
		FROM members m JOIN users u ON u.id = m.user_id WHERE m.team_id = ? AND m.user_id = ?`, team, userID).Take(&row).Error
	return row, err
}

// ownedBy gives models.ErrConflict where the actor has stopped being an owner since the
// request was let through.
func (c change) ownedBy(actor models.Actor) error {
	var owner bool
	err := c.Raw("SELECT EXISTS (SELECT 1 FROM members WHERE team_id = ? AND user_id = ? AND role = 'owner')", actor.TeamID, actor.UserID).Scan(&owner).Error
	if err == nil && !owner {
		return models.ErrConflict
	}
	return err
}

// keepsOwner is the condition under which a member may stop being an owner: the row is no
// owner's, or there is another owner whose account is not disabled.
const keepsOwner = `team_id = ? AND user_id = ? AND (role <> 'owner' OR EXISTS
	(SELECT 1 FROM members o JOIN users u ON u.id = o.user_id AND u.disabled_at = 0
	WHERE o.team_id = members.team_id AND o.user_id <> members.user_id AND o.role = 'owner'))`

var errLastOwner = models.FieldErrors{"role": models.LastOwner}

// ChangeRole gives a member another role, from their next request on. The last owner
// stays one: models.FieldErrors (role).
func (s *Store) ChangeRole(ctx context.Context, actor models.Actor, userID string, role models.Role) (models.MemberRow, error) {
	var member models.MemberRow
	err := s.write(ctx, actor, models.AuditRoleChanged, func(c change) error {
		var err error
		if member, err = c.member(actor.TeamID, userID); err != nil {
			return err
		}
		if err := c.ownedBy(actor); err != nil {
			return err
		}
		if member.Role == role {
			return errNothingToDo
		}
		c.about("user", userID, member.Name)
		if err := c.changed("Role", member.Role.Title(), role.Title()); err != nil {
			return err
		}
		if role == models.RoleOwner {
			return c.Exec("UPDATE members SET role = ? WHERE team_id = ? AND user_id = ?", role, actor.TeamID, userID).Error
		}
		if err := affected(c.Exec("UPDATE members SET role = ? WHERE "+keepsOwner, role, actor.TeamID, userID), errLastOwner); err != nil {
			return err
		}
		if !role.May(models.MayReveal) {
			if err := c.loseTemporary(userID, actor.UserID, actor.TeamID); err != nil {
				return err
			}
		}
		return c.disownInvitations(actor.TeamID, userID)
	})
	return member, err
}

// RemoveMember ends a membership. The person's sessions in the team end at once; their
// applications and tokens belong to the team and go on. The last owner stays:
// models.FieldErrors (role).
func (s *Store) RemoveMember(ctx context.Context, actor models.Actor, userID string) (models.MemberRow, error) {
	var member models.MemberRow
	err := s.write(ctx, actor, models.AuditMemberRemoved, func(c change) error {
		var err error
		if member, err = c.member(actor.TeamID, userID); err != nil {
			return err
		}
		if err := c.ownedBy(actor); err != nil {
			return err
		}
		c.about("user", userID, member.Name)
		c.event.Detail = member.Role.Title()
		if err := c.endMembership(actor, userID); err != nil {
			return err
		}
		return c.Exec("DELETE FROM sessions WHERE user_id = ? AND team_id = ?", userID, actor.TeamID).Error
	})
	return member, err
}

// LeaveTeam ends the actor's own membership. This session goes on in another team of
// theirs or in none, their others in this team end. The last owner stays:
// models.FieldErrors (role).
func (s *Store) LeaveTeam(ctx context.Context, actor models.Actor, session []byte) error {
	return s.write(ctx, actor, models.AuditMemberLeft, func(c change) error {
		c.about("user", actor.UserID, actor.UserName)
		c.event.Detail = actor.Role.Title()
		if err := c.endMembership(actor, actor.UserID); err != nil {
			return err
		}
		if err := c.Exec("DELETE FROM sessions WHERE user_id = ? AND team_id = ? AND id_hash <> ?", actor.UserID, actor.TeamID, session).Error; err != nil {
			return err
		}
		next, err := c.firstTeam(actor.UserID)
		if err != nil {
			return err
		}
		return c.Exec("UPDATE sessions SET team_id = ? WHERE user_id = ? AND id_hash = ?", next, actor.UserID, session).Error
	})
}

// endMembership ends what a member has in a team besides sessions, their temporary token
// among it, and the invitations that would lead them back.
func (c change) endMembership(actor models.Actor, userID string) error {
	team := actor.TeamID
	var found int64
	if err := c.Model(&models.Member{}).Where("team_id = ? AND user_id = ?", team, userID).Count(&found).Error; err != nil {
		return err
	}
	if found == 0 {
		return models.ErrNotFound
	}
	if err := affected(c.Exec("DELETE FROM members WHERE "+keepsOwner, team, userID), errLastOwner); err != nil {
		return err
	}
	if err := c.loseTemporary(userID, actor.UserID, team); err != nil {
		return err
	}
	if err := c.disownInvitations(team, userID); err != nil {
		return err
	}
	return c.Exec("UPDATE users SET last_team_id = '' WHERE id = ? AND last_team_id = ?", userID, team).Error
}

// largerPlan says who can do something about the members that a plan allows.
const largerPlan = "An owner can remove one first, or whoever runs Latchkey can give the team another plan."

// addMember gives a person a place in a team. Where the team or the person has no room
// for one more it returns models.FieldErrors (team).
func (c change) addMember(team, userID string, role models.Role) error {
	var have struct{ Members, Teams int64 }
	err := c.Raw("SELECT (SELECT COUNT(*) FROM members WHERE team_id = ?) AS members, (SELECT COUNT(*) FROM members WHERE user_id = ?) AS teams",
		team, userID).Scan(&have).Error
	if err != nil {
		return err
	}
	allowed, plan, err := c.memberLimit(team)
	switch {
	case err != nil:
		return err
	case allowed > 0 && have.Members >= allowed:
		return models.FieldErrors{"team": "The team’s plan, " + plan + ", allows " + models.Count(allowed, "member") + ", and the team has as many. " + largerPlan}
	case have.Members >= models.MaxMembers:
		return models.FieldErrors{"team": "The team has " + strconv.Itoa(models.MaxMembers) + " members, as many as a team may have. An owner has to remove one first."}
	case have.Teams >= models.MaxTeams:
		return models.FieldErrors{"team": "This account is in " + strconv.Itoa(models.MaxTeams) + " teams, as many as one may be in. Leave one of them first."}
	}
	return c.Create(&models.Member{TeamID: team, UserID: userID, Role: role, CreatedAt: c.now}).Error
}

// RenameTeam gives the actor's team another name. Other teams may have the same.
func (s *Store) RenameTeam(ctx context.Context, actor models.Actor, name string) error {
	return s.write(ctx, actor, models.AuditTeamRenamed, func(c change) error {
		var team models.Team
		if err := c.Where("id = ?", actor.TeamID).Take(&team).Error; err != nil {
			return err
		}
		if err := c.ownedBy(actor); err != nil {
			return err
		}
		if team.Name == name {
			return errNothingToDo
		}
		c.about("team", team.ID, name)
		if err := c.changed("Name", team.Name, name); err != nil {
			return err
		}
		return c.Exec("UPDATE teams SET name = ?, name_key = ? WHERE id = ?", name, models.FoldName(name), actor.TeamID).Error
	})
}
