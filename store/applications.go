package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// applicationOrders are the only texts that reach ORDER BY. The ID makes the
// order total, so that pages neither repeat nor lose a row.
var applicationOrders = map[models.ApplicationSort][2]string{
	models.SortName:     {"name_key, id", "name_key DESC, id DESC"},
	models.SortClientID: {"client_id, id", "client_id DESC, id DESC"},
	models.SortLifespan: {"lifespan, id", "lifespan DESC, id DESC"},
	models.SortLastUsed: {"last_used_at, id", "last_used_at DESC, id DESC"},
	models.SortActive:   {"(" + activeTokens + "), id", "(" + activeTokens + ") DESC, id DESC"},
}

const (
	theirActiveTokens = ` FROM tokens t WHERE t.application_id = applications.id
		AND t.epoch = applications.epoch AND t.revoked_at = 0 AND t.expires_at > ?`
)

// listedTokens stops one beyond what a list shows, activeTokens one beyond what is counted at all.
var (
	listedTokens = tokensUpTo(models.ListedTokens, theirActiveTokens)
	activeTokens = tokensUpTo(models.CountedTokens, theirActiveTokens)
)

func tokensUpTo(most int, which string) string {
	return "SELECT COUNT(*) FROM (SELECT 1" + which + " LIMIT " + strconv.Itoa(most+1) + ") AS counted"
}

const (
	ofTeam   = "team_id = (SELECT ?) AND deleted_at = 0"
	matching = ofTeam + ` AND (name_key LIKE ? ESCAPE '\' OR client_id LIKE ? ESCAPE '\')`

	listedColumns = "id, type, name, name_key, client_id, lifespan, version, epoch, created_at, disabled_at, last_used_at"
)

// Applications lists one page of a team's applications. A page after the last
// one is empty.
func (s *Store) Applications(ctx context.Context, team string, query models.ApplicationQuery) (models.ApplicationList, error) {
	condition, matched := ofTeam, []any{team}
	if query.Search != "" {
		condition = matching
		matched = append(matched, "%"+escapeLike(models.FoldName(query.Search))+"%", "%"+escapeLike(strings.ToLower(query.Search))+"%")
	}
	if query.Ending {
		condition += " AND id IN (" + endingThings(s.sql) + ")"
		matched = append(matched, endingArgs(team, s.now())...)
	}
	count := func() (total int64, err error) {
		err = s.one(ctx, "SELECT COUNT(*) FROM applications WHERE "+condition, matched, &total)
		return total, err
	}
	var total int64
	var err error
	if query.Search == "" && !query.Ending {
		total, err = s.totals.get(team, s.now(), count)
	} else {
		total, err = count()
	}
	if err != nil {
		return models.ApplicationList{}, err
	}
	rows, err := s.applicationRows(ctx, condition, matched, query)
	return models.ApplicationList{Rows: rows, Total: total}, err
}

// applicationRows counts tokens for the rows that are shown, and for no others.
func (s *Store) applicationRows(ctx context.Context, condition string, matched []any, query models.ApplicationQuery) ([]models.ApplicationRow, error) {
	order, active, most, now := orderOf(query), listedTokens, int64(models.ListedTokens), s.now()
	if query.Sort == models.SortActive {
		active, most = activeTokens, models.CountedTokens
	}
	text := "WITH page AS MATERIALIZED (SELECT " + listedColumns + " FROM applications WHERE " + condition + " ORDER BY " + order +
		" LIMIT " + pageSize + " OFFSET ?) SELECT applications.*, (" + active + ") FROM page AS applications ORDER BY " + order
	moments := slices.Repeat([]any{now}, strings.Count(order, "?"))
	args := slices.Concat(matched, moments, []any{offset(query.Page), now}, moments)
	rows := make([]models.ApplicationRow, 0, models.PageSize)
	err := s.each(ctx, text, args, func(row *sql.Rows) error {
		var a models.ApplicationRow
		err := row.Scan(&a.ID, &a.Type, &a.Name, &a.NameKey, &a.ClientID, &a.Lifespan, &a.Version, &a.Epoch, &a.CreatedAt, &a.DisabledAt, &a.LastUsedAt, &a.ActiveTokens)
		if a.ActiveTokens > most {
			a.ActiveTokens, a.MoreTokens = most, true
		}
		rows = append(rows, a)
		return err
	})
	return rows, err
}

func orderOf(query models.ApplicationQuery) string {
	orders, ok := applicationOrders[query.Sort]
	if !ok {
		orders = applicationOrders[models.SortName]
	}
	if query.Desc {
		return orders[1]
	}
	return orders[0]
}

// maxPage bounds the page number that an address may name.
const maxPage = 1 << 20

var pageSize = strconv.Itoa(models.PageSize)

// offset is where a page begins. A page after the last one is empty.
func offset(page int) int { return (min(max(page, 1), maxPage) - 1) * models.PageSize }

func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// ApplicationNames lists a team's applications by name, at most limit of them.
func (s *Store) ApplicationNames(ctx context.Context, team string, limit int) ([]models.Application, error) {
	var rows []models.Application
	err := s.read(ctx).Select("id", "name", "client_id", "lifespan", "type").
		Where("team_id = ? AND deleted_at = 0", team).Order("name_key, id").Limit(limit).Find(&rows).Error
	return rows, translate(err)
}

// Application finds one application of the team, with the names of who made it,
// changed it and took it over, its active tokens, its good secrets and its public keys.
func (s *Store) Application(ctx context.Context, team, id string) (models.ApplicationDetail, error) {
	var detail models.ApplicationDetail
	now := s.now()
	err := s.read(ctx).Raw(`SELECT applications.*, COALESCE(creator.name, '') AS created_by_name, COALESCE(changer.name, '') AS changed_by_name,
		COALESCE((SELECT name FROM users WHERE id = applications.taken_over_by), '') AS taken_over_by_name,
		(`+activeTokens+`) AS active_tokens
		FROM applications LEFT JOIN users creator ON creator.id = applications.created_by LEFT JOIN users changer ON changer.id = applications.changed_by
		WHERE applications.id = ? AND applications.team_id = ? AND applications.deleted_at = 0`, now, id, team).Take(&detail).Error
	if err != nil {
		return detail, translate(err)
	}
	err = s.read(ctx).Omit("hash", "sealed").
		Where("application_id = ? AND team_id = ? AND (expires_at = 0 OR expires_at > ?)", id, team, now).
		Order("expires_at").Find(&detail.Secrets).Error
	if err != nil {
		return detail, translate(err)
	}
	detail.Keys, err = s.clientKeys(ctx, team, id)
	return detail, err
}

// CreateApplication stores an application with its first secret and returns its
// ID: that of the earlier one where the form was posted before. A name that the
// team has already gives models.FieldErrors (name).
func (s *Store) CreateApplication(ctx context.Context, actor models.Actor, app models.Application, secret models.ClientSecret, formKey string) (string, error) {
	id := app.ID
	defer s.totals.forget(actor.TeamID)
	err := s.write(ctx, actor, models.AuditApplicationCreated, func(c change) error {
		earlier, err := c.once(actor.TeamID, formKey, app.ID)
		if err != nil {
			return err
		}
		if earlier != "" {
			id = earlier
			return errNothingToDo
		}
		app.TeamID, app.CreatedBy, app.CreatedAt = actor.TeamID, actor.UserID, c.now
		app.NameKey, app.Version = models.FoldName(app.Name), 1
		if err := c.checkName(app.TeamID, app.Name, ""); err != nil {
			return err
		}
		if err := nameTaken(c.Create(&app).Error, app.Name); err != nil {
			return err
		}
		c.about("application", app.ID, app.Name)
		c.event.Detail = "Tokens live " + models.FormatLifespan(app.Lifespan)
		return c.addSecret(actor, app.ID, secret)
	})
	return id, err
}

// CheckName returns models.FieldErrors (name) where another application of the
// team than except has the name, whatever the case.
func (s *Store) CheckName(ctx context.Context, team, name, except string) error {
	return translate(change{DB: s.read(ctx)}.checkName(team, name, except))
}

func (c change) checkName(team, name, except string) error {
	var taken string
	err := c.Raw("SELECT name FROM applications WHERE team_id = ? AND name_key = ? AND deleted_at = 0 AND id <> ?", team, models.FoldName(name), except).Scan(&taken).Error
	if err != nil || taken == "" {
		return err
	}
	return nameTaken(gorm.ErrDuplicatedKey, taken)
}

// nameTaken also serves two who take a name at once, where the index decides.
func nameTaken(err error, name string) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return models.FieldErrors{"name": "Your team already has an application called " + name + ". Choose another name."}
	}
	return err
}

// ChangeApplication renames an application and sets its lifespan and scopes, which
// apply to tokens issued afterwards, and its points per day, which apply to the next call.
// Empty scopes, and points per day that are nil, stay as they are. A version other than the stored one gives
// models.ErrConflict, zero means that the caller does not mind; a name that the
// team has already gives models.FieldErrors (name).
func (s *Store) ChangeApplication(ctx context.Context, actor models.Actor, id string, values models.ApplicationValues, version int64) error {
	return s.write(ctx, actor, models.AuditApplicationChanged, func(c change) error {
		app, err := c.madeByTeam(actor.TeamID, id)
		if err != nil {
			return err
		}
		if version != 0 && version != app.Version {
			return models.ErrConflict
		}
		values := values // what stays is of this run
		if values.Scopes == "" {
			values.Scopes = app.Scopes
		}
		if values.PointsPerDay == nil {
			values.PointsPerDay = &app.PointsPerDay
		}
		if err := c.differences(app, values); err != nil {
			return err
		}
		if c.event.Changes == "" {
			return errNothingToDo
		}
		if err := c.checkName(actor.TeamID, values.Name, id); err != nil {
			return err
		}
		c.about("application", app.ID, values.Name)
		return nameTaken(affected(c.Exec(`UPDATE applications SET name = ?, name_key = ?, lifespan = ?, scopes = ?, points_per_day = ?, version = version + 1,
			changed_at = ?, changed_by = ? WHERE id = ? AND team_id = ? AND version = ?`,
			values.Name, models.FoldName(values.Name), values.Lifespan, values.Scopes, *values.PointsPerDay, c.now, actor.UserID, id, actor.TeamID, app.Version),
			models.ErrConflict), values.Name)
	})
}

func (c change) differences(app models.Application, values models.ApplicationValues) error {
	before, after := models.FormatLifespan(app.Lifespan), models.FormatLifespan(values.Lifespan)
	if before == after { // it leaves out seconds of a year
		before, after = models.Count(app.Lifespan, "second"), models.Count(values.Lifespan, "second")
	}
	return errors.Join(
		c.changed("Name", app.Name, values.Name),
		c.changed("Token lifespan", before, after),
		c.changed("Scopes", app.Scopes, values.Scopes),
		c.changed("Points per day", models.FormatPointsPerDay(app.PointsPerDay), models.FormatPointsPerDay(*values.PointsPerDay)),
	)
}

// application finds the row inside a change, and has caches forget it afterwards.
func (c change) application(team, id string) (models.Application, error) {
	var app models.Application
	err := c.Where("id = ? AND team_id = ? AND deleted_at = 0", id, team).Take(&app).Error
	c.tell(models.Notice{ApplicationID: app.ID, ClientID: app.ClientID})
	c.event.ApplicationID = app.ID
	return app, err
}

// SwitchApplication switches an application off, so that all its tokens and its
// secrets are refused, or on again.
func (s *Store) SwitchApplication(ctx context.Context, actor models.Actor, id string, on bool) error {
	action := models.AuditApplicationDisabled
	if on {
		action = models.AuditApplicationEnabled
	}
	return s.write(ctx, actor, action, func(c change) error {
		app, err := c.application(actor.TeamID, id)
		if err != nil {
			return err
		}
		if app.Enabled() == on {
			return errNothingToDo
		}
		c.about("application", app.ID, app.Name)
		disabled := c.now
		if on {
			disabled = 0
		}
		return c.Exec("UPDATE applications SET disabled_at = ?, version = version + 1, changed_at = ?, changed_by = ? WHERE id = ? AND team_id = ?",
			disabled, c.now, actor.UserID, id, actor.TeamID).Error
	})
}

// DeleteApplication ends an application. Its secrets, its keys and the sealed values of its
// tokens are erased, and all its tokens are refused from then on. It returns the
// application as it was, and models.ErrForbidden for one that is built in.
func (s *Store) DeleteApplication(ctx context.Context, actor models.Actor, id string) (models.Application, error) {
	var app models.Application
	defer s.totals.forget(actor.TeamID)
	err := s.write(ctx, actor, models.AuditApplicationDeleted, func(c change) error {
		var err error
		if app, err = c.madeByTeam(actor.TeamID, id); err != nil {
			return err
		}
		c.about("application", app.ID, app.Name)
		for _, statement := range []string{
			"DELETE FROM client_secrets WHERE application_id = ? AND team_id = ?",
			"DELETE FROM client_keys WHERE application_id = ? AND team_id = ?",
			"UPDATE tokens SET sealed = NULL WHERE application_id = ? AND team_id = ? AND kind = 'manual' AND sealed IS NOT NULL",
			"DELETE FROM client_assertions WHERE application_id IN (SELECT id FROM applications WHERE id = ? AND team_id = ?)",
		} {
			if err := c.Exec(statement, id, actor.TeamID).Error; err != nil {
				return err
			}
		}
		return c.Exec("UPDATE applications SET deleted_at = ?, epoch = epoch + 1, tokens_revoked_at = ?, tokens_revoked_by = ? WHERE id = ? AND team_id = ?",
			c.now, c.now, actor.UserID, id, actor.TeamID).Error
	})
	return app, err
}
