package store

import (
	"github.com/google/uuid"

	"github.com/latchkey/latchkey/models"
)

// addBuiltIn gives a team the application of its temporary tokens. Where one of the team's
// own has the name, only its key differs.
func (c change) addBuiltIn(team string) error {
	key := models.FoldName(models.BuiltInName)
	return c.Exec(`INSERT INTO applications (id, team_id, type, name, name_key, client_id, lifespan, scopes, created_at)
		VALUES (?, ?, ?, ?, CASE WHEN EXISTS (SELECT 1 FROM applications WHERE team_id = ? AND name_key = ? AND deleted_at = 0) THEN ? ELSE ? END, ?, ?, '', ?)`,
		NewID(), team, models.TypeBuiltIn, models.BuiltInName, team, key, key+" "+team, key, uuid.NewString(), temporaryLifespan, c.now).Error
}

// temporaryLifespan is what pages show of the built-in application: its tokens change
// every 12 hours, in seconds.
const temporaryLifespan = 12 * 3600

// builtIn finds the built-in application of a team. A team that an earlier version of the
// program made, beside this one, gets it here.
func (c change) builtIn(team string) (models.Application, error) {
	var id string
	const query = "SELECT id FROM applications WHERE team_id = ? AND type = 'built-in'"
	if err := c.Raw(query, team).Scan(&id).Error; err != nil {
		return models.Application{}, err
	}
	if id == "" {
		if err := c.addBuiltIn(team); err != nil {
			return models.Application{}, err
		}
		if err := c.Raw(query, team).Scan(&id).Error; err != nil {
			return models.Application{}, err
		}
	}
	return c.application(team, id)
}

// madeByTeam is application for what a team sets of its own ones: what is built in gives
// models.ErrForbidden.
func (c change) madeByTeam(team, id string) (models.Application, error) {
	app, err := c.application(team, id)
	if err == nil && app.BuiltIn() {
		err = models.ErrForbidden
	}
	return app, err
}
