package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

const (
	userColumns = `id, name, email, operator, second_factor, password_hash <> '' AS has_password, created_at, disabled_at, last_seen_at`
	// foundUsers looks at names as SQLite compares them, and at emails as sign-in does.
	foundUsers = ` FROM users WHERE ? = '' OR name LIKE ? ESCAPE '\' OR email_key LIKE ? ESCAPE '\'`
)

// Users lists one page of the users of all teams by name, for operators.
func (s *Store) Users(ctx context.Context, query models.ListQuery) (models.UserList, error) {
	var list models.UserList
	found := []any{query.Search, "%" + escapeLike(query.Search) + "%", "%" + escapeLike(models.EmailKey(query.Search)) + "%"}
	if err := s.read(ctx).Raw("SELECT COUNT(*)"+foundUsers, found...).Scan(&list.Total).Error; err != nil {
		return list, translate(err)
	}
	err := s.read(ctx).Raw("SELECT "+userColumns+foundUsers+" ORDER BY "+s.sql.folded("name")+", id LIMIT ? OFFSET ?",
		append(found, models.PageSize, offset(query.Page))...).Scan(&list.Rows).Error
	if err != nil {
		return list, translate(err)
	}
	return list, s.fillTeams(ctx, list.Rows)
}

// UserDetail is a user as an operator sees one.
func (s *Store) UserDetail(ctx context.Context, id string) (models.UserRow, error) {
	var row models.UserRow
	result := s.read(ctx).Raw("SELECT "+userColumns+", (SELECT COUNT(*) FROM sessions WHERE user_id = users.id) AS sessions FROM users WHERE id = ?", id).Scan(&row)
	if err := affected(result, models.ErrNotFound); err != nil {
		return row, translate(err)
	}
	rows := []models.UserRow{row}
	err := s.fillTeams(ctx, rows)
	return rows[0], err
}

// fillTeams adds the teams of all rows in one query.
func (s *Store) fillTeams(ctx context.Context, rows []models.UserRow) error {
	byID := map[string]*models.UserRow{}
	ids := make([]string, 0, len(rows))
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
		ids = append(ids, rows[i].ID)
	}
	var memberships []models.Membership
	err := s.read(ctx).Raw(`SELECT m.user_id, m.team_id, t.name AS team_name, m.role, t.suspended_at,
		m.role = 'owner' AND NOT EXISTS (SELECT 1 FROM members o JOIN users u ON u.id = o.user_id
			WHERE o.team_id = m.team_id AND o.role = 'owner' AND o.user_id <> m.user_id AND u.disabled_at = 0) AS only_owner
		FROM members m JOIN teams t ON t.id = m.team_id WHERE m.user_id IN ? ORDER BY t.name_key, t.id`, ids).Scan(&memberships).Error
	for _, m := range memberships {
		byID[m.UserID].Teams = append(byID[m.UserID].Teams, m)
	}
	return translate(err)
}

// DisableUser keeps a user out and ends all sessions and temporary tokens of theirs at once. The operator's
// own account and the last operator's give models.FieldErrors (user).
func (s *Store) DisableUser(ctx context.Context, actor models.Actor, id string) error {
	return s.operate(ctx, actor, models.AuditUserDisabled, func(c change) error {
		user, err := c.otherUser(actor, id)
		if err != nil {
			return err
		}
		if !user.DisabledAt.IsZero() {
			return errNothingToDo
		}
		if err := c.operatorStays(user); err != nil {
			return err
		}
		if err := c.Exec("UPDATE users SET disabled_at = ? WHERE id = ?", c.now, id).Error; err != nil {
			return err
		}
		if err := c.disownInvitations("", id); err != nil {
			return err
		}
		var teams []string
		if err := c.Model(&models.Member{}).Where("user_id = ?", id).Pluck("team_id", &teams).Error; err != nil {
			return err
		}
		if err := c.loseTemporary(id, actor.UserID, teams...); err != nil {
			return err
		}
		return c.endAll(id)
	})
}

// EnableUser lets a user in again.
func (s *Store) EnableUser(ctx context.Context, actor models.Actor, id string) error {
	return s.operate(ctx, actor, models.AuditUserEnabled, func(c change) error {
		if _, err := c.user(id); err != nil {
			return err
		}
		return affected(c.Exec("UPDATE users SET disabled_at = 0 WHERE id = ? AND disabled_at <> 0", id), errNothingToDo)
	})
}

// MakeOperator lets a user run the installation. Nobody does it to themselves:
// models.FieldErrors (user).
func (s *Store) MakeOperator(ctx context.Context, actor models.Actor, id string) error {
	return s.operate(ctx, actor, models.AuditOperatorMade, func(c change) error {
		if _, err := c.otherUser(actor, id); err != nil {
			return err
		}
		if err := affected(c.Exec("UPDATE users SET operator = TRUE WHERE id = ? AND NOT operator", id), errNothingToDo); err != nil {
			return err
		}
		return c.changed("Operator", "No", "Yes")
	})
}

// UnmakeOperator takes that away again; refused as in DisableUser.
func (s *Store) UnmakeOperator(ctx context.Context, actor models.Actor, id string) error {
	return s.operate(ctx, actor, models.AuditOperatorUnmade, func(c change) error {
		user, err := c.otherUser(actor, id)
		if err != nil {
			return err
		}
		if !user.Operator {
			return errNothingToDo
		}
		if err := c.operatorStays(user); err != nil {
			return err
		}
		if err := c.Exec("UPDATE users SET operator = FALSE WHERE id = ?", id).Error; err != nil {
			return err
		}
		return c.changed("Operator", "Yes", "No")
	})
}

// EndSessions ends all sessions of a user, on an operator's word.
func (s *Store) EndSessions(ctx context.Context, actor models.Actor, id string) error {
	return s.operate(ctx, actor, models.AuditUserSignedOut, func(c change) error {
		if _, err := c.user(id); err != nil {
			return err
		}
		return c.endAll(id)
	})
}

// TestMailSent records that an operator had a test mail sent, and what came of it.
func (s *Store) TestMailSent(ctx context.Context, actor models.Actor, outcome string) error {
	return s.operate(ctx, actor, models.AuditTestMail, func(c change) error {
		c.about("user", actor.UserID, actor.UserName)
		c.event.Detail = outcome
		return nil
	})
}
