package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

const teamColumns = `SELECT t.*, (SELECT COUNT(*) FROM members m WHERE m.team_id = t.id) AS members,
	(SELECT COUNT(*) FROM applications a WHERE a.team_id = t.id AND a.deleted_at = 0) AS applications,
	COALESCE((SELECT p.name FROM team_plans g JOIN plans p ON p.id = g.plan_id WHERE g.team_id = t.id), '') AS plan_name`

const foundTeams = ` FROM teams t WHERE ? = '' OR t.name_key LIKE ? ESCAPE '\'`

// Teams lists one page of all teams by name, for operators.
func (s *Store) Teams(ctx context.Context, query models.ListQuery) (models.TeamList, error) {
	var list models.TeamList
	found := []any{query.Search, "%" + escapeLike(models.FoldName(query.Search)) + "%"}
	if err := s.read(ctx).Raw("SELECT COUNT(*)"+foundTeams, found...).Scan(&list.Total).Error; err != nil {
		return list, translate(err)
	}
	err := s.read(ctx).Raw(teamColumns+foundTeams+
		" ORDER BY t.name_key, t.id LIMIT ? OFFSET ?", append(found, models.PageSize, offset(query.Page))...).Scan(&list.Rows).Error
	return list, translate(err)
}

// Team finds any team, for operators.
func (s *Store) Team(ctx context.Context, id string) (models.Team, error) {
	var team models.Team
	err := s.read(ctx).Where("id = ?", id).Take(&team).Error
	return team, translate(err)
}

// TeamDetail finds any team with what it has, for operators.
func (s *Store) TeamDetail(ctx context.Context, id string) (models.TeamRow, error) {
	var team models.TeamRow
	err := s.read(ctx).Raw(teamColumns+" FROM teams t WHERE t.id = ?", id).Take(&team).Error
	return team, translate(err)
}

// FindTeams finds the teams that have an ID or a name, for operators: names are not unique.
func (s *Store) FindTeams(ctx context.Context, idOrName string) ([]models.Team, error) {
	var teams []models.Team
	err := s.read(ctx).Where("id = ? OR name_key = ?", idOrName, models.FoldName(idOrName)).Order("created_at, id").Find(&teams).Error
	return teams, translate(err)
}

// SuspendTeam has all tokens and credentials of a team refused from now on. Its members
// act in it no more until ResumeTeam. The event stands in the team's own log.
func (s *Store) SuspendTeam(ctx context.Context, actor models.Actor, id, reason string) error {
	return s.switchTeam(ctx, actor, models.AuditTeamSuspended, id, func(c change) error {
		c.event.Detail = reason
		return affected(c.Exec("UPDATE teams SET suspended_at = ?, suspended_reason = ? WHERE id = ? AND suspended_at = 0", c.now, reason, id), errNothingToDo)
	})
}

// ResumeTeam undoes SuspendTeam.
func (s *Store) ResumeTeam(ctx context.Context, actor models.Actor, id string) error {
	return s.switchTeam(ctx, actor, models.AuditTeamResumed, id, func(c change) error {
		return affected(c.Exec("UPDATE teams SET suspended_at = 0, suspended_reason = '' WHERE id = ? AND suspended_at <> 0", id), errNothingToDo)
	})
}

func (s *Store) switchTeam(ctx context.Context, actor models.Actor, action models.AuditAction, id string, turn func(c change) error) error {
	return s.operate(ctx, actor, action, func(c change) error {
		var team models.Team
		if err := c.Where("id = ?", id).Take(&team).Error; err != nil {
			return err
		}
		c.event.TeamID = id
		c.about("team", team.ID, team.Name)
		if err := turn(c); err != nil {
			return err
		}
		c.tell(models.Notice{TeamID: id, TeamTokens: true})
		return nil
	})
}

// AddTeam makes a team with its first owner: the account of that email where there is
// one, else a new one without a password. A name that a team has gives
// models.FieldErrors (team), the email of a disabled user too (email).
func (s *Store) AddTeam(ctx context.Context, actor models.Actor, in models.TeamInput) (models.UserRow, error) {
	var owner models.UserRow
	err := s.operate(ctx, actor, models.AuditTeamAdded, func(c change) error {
		team := models.Team{ID: NewID(), Name: in.Team, NameKey: models.FoldName(in.Team), CreatedAt: c.now}
		if err := c.freeTeamName(team); err != nil {
			return err
		}
		user, err := c.ownerFor(in)
		if err != nil {
			return err
		}
		if err := c.createTeam(team); err != nil {
			return err
		}
		c.event.TeamID = team.ID
		c.about("team", team.ID, team.Name)
		c.event.Detail = "Owner: " + user.Name
		owner = models.UserRow{ID: user.ID, Name: user.Name, Email: user.Email, HasPassword: user.PasswordHash != "", LastSeenAt: user.LastSeenAt}
		return c.addMember(team.ID, user.ID, models.RoleOwner)
	})
	return owner, err
}

func (c change) freeTeamName(team models.Team) error {
	var taken int64
	if err := c.Model(&models.Team{}).Where("name_key = ?", team.NameKey).Count(&taken).Error; err != nil {
		return err
	}
	if taken > 0 {
		return models.FieldErrors{"team": "There is a team called " + team.Name + " already. Choose another name."}
	}
	return nil
}

func (c change) ownerFor(in models.TeamInput) (models.User, error) {
	var users []models.User
	if err := c.Where("email_key = ?", models.EmailKey(in.Email)).Limit(1).Find(&users).Error; err != nil {
		return models.User{}, err
	}
	if len(users) == 0 {
		user := models.User{ID: NewID(), Name: in.Name, Email: in.Email, EmailKey: models.EmailKey(in.Email), CreatedAt: c.now}
		return user, c.Create(&user).Error
	}
	if !users[0].DisabledAt.IsZero() {
		return models.User{}, models.FieldErrors{"email": "The account of this email is disabled. Enable it first, or choose another owner."}
	}
	return users[0], nil
}
