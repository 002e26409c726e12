package store

import (
	"context"
	"strconv"

	"github.com/latchkey/latchkey/models"
)

// maker is who answers for an application.
const maker = "CASE a.taken_over_by WHEN '' THEN a.created_by ELSE a.taken_over_by END"

// makerGone is true of an application whose maker is no member any more.
const makerGone = maker + ` <> '' AND NOT EXISTS (SELECT 1 FROM members m JOIN users u ON u.id = m.user_id
	WHERE m.team_id = a.team_id AND m.user_id = ` + maker + ` AND u.disabled_at = 0)`

// found is one reason with its place in the list. The first two parameters are the team
// and now, which decides whether somebody keeps the finding.
func found(place int, reason models.FindingReason, since, join, condition string) string {
	return "SELECT " + strconv.Itoa(place) + " AS place, '" + string(reason) + "' AS reason, a.id AS application_id, a.name AS application_name, a.name_key, " +
		since + " AS since, " + maker + " AS maker FROM applications a " + join +
		` WHERE a.team_id = ? AND a.type = 'service' AND a.deleted_at = 0 AND a.disabled_at = 0
		AND NOT EXISTS (SELECT 1 FROM kept_findings k WHERE k.application_id = a.id AND k.reason = '` + string(reason) + "' AND k.kept_until > ?) AND " + condition
}

// findings are all of a team. Its parameters are findingArgs.
var findings = found(0, models.FoundMakerGone, "a.created_at", "", makerGone) +
	" UNION ALL " + found(1, models.FoundOldSecret, "s.created_at", "JOIN client_secrets s ON s.application_id = a.id AND s.expires_at = 0", "s.created_at < ?") +
	" UNION ALL " + found(2, models.FoundIdle, "a.last_used_at", "", "a.last_used_at <> 0 AND a.last_used_at < ?") +
	" UNION ALL " + found(3, models.FoundNeverUsed, "a.created_at", "", "a.last_used_at = 0 AND a.created_at < ?")

func findingArgs(team string, now models.Time) []any {
	return []any{
		team, now,
		team, now, now.Add(-models.OldSecretAfter),
		team, now, now.Add(-models.IdleAfter),
		team, now, now.Add(-models.NeverUsedAfter),
	}
}

// Hygiene lists one page of what a team's applications should be looked at for.
func (s *Store) Hygiene(ctx context.Context, team string, page int) (models.FindingList, error) {
	var list models.FindingList
	args := findingArgs(team, s.now())
	if err := s.read(ctx).Raw("SELECT COUNT(*) FROM ("+findings+") AS f", args...).Scan(&list.Total).Error; err != nil {
		return list, translate(err)
	}
	err := s.read(ctx).Raw("SELECT f.*, COALESCE(u.name, '') AS maker_name FROM ("+findings+") f LEFT JOIN users u ON u.id = f.maker ORDER BY f.place, f.name_key, f.application_id LIMIT ? OFFSET ?",
		append(args, models.PageSize, offset(page))...).Scan(&list.Rows).Error
	return list, translate(err)
}

// KeepFinding says that an application is to stay as it is: the finding comes back after
// models.KeepFindingFor.
func (s *Store) KeepFinding(ctx context.Context, actor models.Actor, appID string, reason models.FindingReason) (models.Application, error) {
	var app models.Application
	err := s.write(ctx, actor, models.AuditFindingKept, func(c change) error {
		var err error
		if app, err = c.application(actor.TeamID, appID); err != nil {
			return err
		}
		c.about("application", app.ID, app.Name)
		c.event.Detail = string(reason)
		return c.Exec(`INSERT INTO kept_findings (application_id, reason, kept_by, kept_until) VALUES (?, ?, ?, ?)
			ON CONFLICT (application_id, reason) DO UPDATE SET kept_by = excluded.kept_by, kept_until = excluded.kept_until`,
			app.ID, reason, actor.UserID, c.now.Add(models.KeepFindingFor)).Error
	})
	return app, err
}

// TakeOver makes the actor answer for an application whose maker is gone: warnings about
// it go to them. It returns the application and whether it did; while its maker is a
// member nothing changes.
func (s *Store) TakeOver(ctx context.Context, actor models.Actor, appID string) (models.Application, bool, error) {
	var app models.Application
	taken := false
	err := s.write(ctx, actor, models.AuditApplicationTaken, func(c change) error {
		taken = false
		var err error
		if app, err = c.application(actor.TeamID, appID); err != nil {
			return err
		}
		var before struct{ Gone, Name string }
		err = c.Raw("SELECT a.id AS gone, COALESCE((SELECT name FROM users WHERE id = "+maker+"), '') AS name FROM applications a WHERE a.id = ? AND a.team_id = ? AND "+makerGone,
			app.ID, actor.TeamID).Scan(&before).Error
		if err != nil {
			return err
		}
		if before.Gone == "" {
			return errNothingToDo
		}
		taken = true
		c.about("application", app.ID, app.Name)
		if err := c.changed("Answers for it", before.Name, actor.UserName); err != nil {
			return err
		}
		return c.Exec("UPDATE applications SET taken_over_by = ?, version = version + 1, changed_at = ?, changed_by = ? WHERE id = ? AND team_id = ?",
			actor.UserID, c.now, actor.UserID, app.ID, actor.TeamID).Error
	})
	return app, taken && err == nil, err
}
