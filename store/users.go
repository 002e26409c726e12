package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// Account is a new user with a place in a team. PasswordHash is an argon2id hash.
type Account struct {
	Name         string
	Email        string
	PasswordHash string
	Team         string
	// Role is empty for the default: owner of a new team, developer in one that exists.
	Role     models.Role
	Operator bool
}

// AnyUser tells whether at least one account exists.
func (s *Store) AnyUser(ctx context.Context) (bool, error) {
	var found bool
	err := s.read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM users)").Scan(&found).Error
	return found, translate(err)
}

// Setup makes the first account: owner of a new team and operator. It returns
// models.ErrNotFound where an account exists, also when two try at once.
func (s *Store) Setup(ctx context.Context, actor models.Actor, account Account) (models.User, error) {
	account.Role, account.Operator = models.RoleOwner, true
	var user models.User
	err := s.write(ctx, actor, models.AuditSetup, func(c change) error {
		var users int64
		if err := c.Model(&models.User{}).Count(&users).Error; err != nil {
			return err
		}
		if users > 0 {
			return models.ErrNotFound
		}
		var err error
		user, err = c.addUser(account)
		return err
	})
	return user, err
}

// AddUser makes an account in the team of that name, which is made where it
// does not exist. It returns models.FieldErrors for an email that has an account
// (email), a team name that several teams have (team), and a role other than
// owner for the first member of a team (role).
func (s *Store) AddUser(ctx context.Context, actor models.Actor, account Account) (models.User, error) {
	var user models.User
	err := s.write(ctx, actor, models.AuditUserAdded, func(c change) error {
		var err error
		user, err = c.addUser(account)
		return err
	})
	return user, err
}

func (c change) addUser(account Account) (models.User, error) {
	user, err := c.newUser(account)
	if err != nil {
		return models.User{}, err
	}
	team, role, err := c.teamFor(account)
	if err != nil {
		return models.User{}, err
	}
	c.event.TeamID = team.ID
	if c.event.ActorID == "" && c.event.Action == models.AuditSetup {
		c.event.ActorID, c.event.ActorName = user.ID, user.Name
	}
	c.about("user", user.ID, user.Name)
	c.event.Detail = role.Title() + " of " + team.Name
	return user, c.addMember(team.ID, user.ID, role)
}

// newUser makes an account in no team. An address that has one gives models.FieldErrors (email).
func (c change) newUser(account Account) (models.User, error) {
	user := models.User{
		ID: NewID(), Name: account.Name, Email: account.Email, EmailKey: models.EmailKey(account.Email),
		PasswordHash: account.PasswordHash, Operator: account.Operator, CreatedAt: c.now,
	}
	var taken int64
	if err := c.Model(&models.User{}).Where("email_key = ?", user.EmailKey).Count(&taken).Error; err != nil {
		return models.User{}, err
	}
	if taken > 0 {
		return models.User{}, models.FieldErrors{"email": "An account with this email exists already."}
	}
	return user, c.Create(&user).Error
}

func (c change) teamFor(account Account) (models.Team, models.Role, error) {
	var teams []models.Team
	if err := c.Where("name_key = ?", models.FoldName(account.Team)).Limit(2).Find(&teams).Error; err != nil {
		return models.Team{}, "", err
	}
	role := account.Role
	switch {
	case len(teams) > 1:
		return models.Team{}, "", models.FieldErrors{"team": "Several teams have this name."}
	case len(teams) == 1:
		if role == "" {
			role = models.RoleDeveloper
		}
		return teams[0], role, nil
	case role != "" && role != models.RoleOwner:
		return models.Team{}, "", models.FieldErrors{"role": "There is no team " + account.Team + " yet, and the first member of a team must be an owner."}
	}
	team := models.Team{ID: NewID(), Name: account.Team, NameKey: models.FoldName(account.Team), CreatedAt: c.now}
	return team, models.RoleOwner, c.addTeam(team)
}

// UserByEmail finds the account of an email, whatever its case. The password
// that the caller compares is the proof.
func (s *Store) UserByEmail(ctx context.Context, email string) (models.User, error) {
	var user models.User
	err := s.read(ctx).Where("email_key = ?", models.EmailKey(email)).Take(&user).Error
	return user, translate(err)
}

// User finds an account by its ID.
func (s *Store) User(ctx context.Context, id string) (models.User, error) {
	var user models.User
	err := s.read(ctx).Where("id = ?", id).Take(&user).Error
	return user, translate(err)
}

// SetPassword stores a new hash and ends every session of the account.
func (s *Store) SetPassword(ctx context.Context, actor models.Actor, email, passwordHash string) error {
	return s.write(ctx, actor, models.AuditPasswordChanged, func(c change) error {
		var user models.User
		if err := c.Where("email_key = ?", models.EmailKey(email)).Take(&user).Error; err != nil {
			return err
		}
		c.about("user", user.ID, user.Name)
		var err error
		if c.event.TeamID, err = c.firstTeam(user.ID); err != nil {
			return err
		}
		if err := c.Exec("UPDATE users SET password_hash = ? WHERE id = ?", passwordHash, user.ID).Error; err != nil {
			return err
		}
		return c.endAll(user.ID)
	})
}

// UpgradePasswordHash replaces the hash of a password that was just proved by
// one with today's parameters. The password stays, so nothing is audited.
func (s *Store) UpgradePasswordHash(ctx context.Context, userID, before, after string) error {
	return s.touch(ctx, func(tx *gorm.DB) error {
		return tx.Exec("UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?", after, userID, before).Error
	})
}

// firstTeam is the team in which a sign-in begins: the one that the person acted in
// last, else the one joined first, of those that are not suspended. It is empty where there is none.
func (c change) firstTeam(userID string) (string, error) {
	var id string
	err := c.Raw(`SELECT m.team_id FROM members m JOIN teams t ON t.id = m.team_id JOIN users u ON u.id = m.user_id
		WHERE m.user_id = ? AND t.suspended_at = 0 ORDER BY m.team_id = u.last_team_id DESC, m.created_at, m.team_id LIMIT 1`, userID).Scan(&id).Error
	return id, err
}
