package store

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// tellRows is how many people are told of in one transaction.
const tellRows = 100

var (
	day, week = models.Marks[0], models.Marks[1]
	dayText   = milliseconds(day)
	weekText  = milliseconds(week)

	// endsSoon is models.EndsSoon of tokens t. Its parameters are soonArgs.
	endsSoon = "t.expires_at > ? AND t.expires_at <= ? AND (t.expires_at - t.created_at > " + weekText +
		" OR t.expires_at <= ? AND t.expires_at - t.created_at > " + dayText + ")"
)

// endingThings are the applications of which something ends soon, once for each thing. Its
// parameters are endingArgs.
func endingThings(d dialect) string {
	return `SELECT t.application_id FROM tokens t` + d.index("tokens_ending_by_team") + ` JOIN applications a ON a.id = t.application_id
		WHERE t.team_id = ? AND t.kind = 'manual' AND t.revoked_at = 0 AND ` + endsSoon + ` AND t.epoch = a.epoch AND a.deleted_at = 0
		UNION ALL SELECT s.application_id FROM client_secrets s WHERE s.team_id = ? AND s.expires_at <> 0 AND s.expires_at > ? AND s.expires_at <= ?`
}

func milliseconds(mark models.Mark) string {
	return strconv.FormatInt(time.Duration(mark).Milliseconds(), 10)
}

func soonArgs(now models.Time) []any { return []any{now, week.Before(now), day.Before(now)} }

func endingArgs(team string, now models.Time) []any {
	return append(append([]any{team}, soonArgs(now)...), team, now, week.Before(now))
}

const (
	endingColumns = `x.id, x.team_id, team.name AS team_name, x.application_id, a.name AS application_name, a.taken_over_by, x.last4,
		x.created_by AS made_by, COALESCE(u.name, '') AS made_by_name, x.created_at, x.expires_at AS ends_at`
	endingJoins = ` JOIN applications a ON a.id = x.application_id JOIN teams team ON team.id = x.team_id LEFT JOIN users u ON u.id = x.created_by `
	// untold is what is still to be told at a mark. What is refused now is told of when
	// it is good again.
	untold = ` AND x.expires_at > ? AND x.expires_at <= ? AND a.deleted_at = 0 AND a.disabled_at = 0 AND team.suspended_at = 0
		AND NOT EXISTS (SELECT 1 FROM warnings w WHERE w.object_id = x.id AND w.mark = ?) ORDER BY x.expires_at, x.id LIMIT ?`
	untoldSecrets = "SELECT 'secret' AS kind, '' AS name, " + endingColumns + " FROM client_secrets x" + endingJoins +
		"WHERE x.expires_at <> 0" + untold
)

func untoldTokens(d dialect) string {
	return "SELECT 'token' AS kind, x.name, " + endingColumns + " FROM tokens x" + d.index("tokens_ending") + endingJoins +
		"WHERE x.kind = 'manual' AND x.revoked_at = 0 AND x.epoch = a.epoch AND x.expires_at - x.created_at > ?" + untold
}

// ending is a row of untold.
type ending struct {
	models.Ending `gorm:"embedded"`
	TakenOverBy   string
}

// TellEnding takes up to a hundred tokens and old secrets that have come within a mark
// of their end and of which nobody was told at that mark, notes that people are told
// now, and queues what goes to webhooks, in one transaction: of two processes that look
// at once, one tells. It returns who is to be told of what, empty once nothing is left.
// Whoever is within the nearest mark already is not told at the farther ones.
func (s *Store) TellEnding(ctx context.Context, body func(e models.Ending, now models.Time) (string, error)) ([]models.Warning, error) {
	if due, err := endingsDue(s.read(ctx), s.now()); err != nil || len(due) == 0 {
		return nil, translate(err)
	}
	var told []models.Warning
	err := s.touch(ctx, func(tx *gorm.DB) error {
		now := s.now()
		due, err := endingsDue(tx, now)
		if err != nil {
			return err
		}
		told, err = tell(tx, due, now, body)
		return err
	})
	if err != nil {
		return nil, err
	}
	return told, nil
}

// markedEnding is an ending at one of the marks, by its place in models.Marks.
type markedEnding struct {
	ending
	mark int
}

func endingsDue(tx *gorm.DB, now models.Time) ([]markedEnding, error) {
	var all []markedEnding
	seen := map[string]bool{}
	add := func(mark int, rows []ending) {
		for _, row := range rows {
			if !seen[row.ID] {
				seen[row.ID] = true
				all = append(all, markedEnding{row, mark})
			}
		}
	}
	for i, mark := range models.Marks {
		var tokens, secrets []ending
		length := time.Duration(mark).Milliseconds()
		if err := tx.Raw(untoldTokens(dialectOf(tx)), length, now, mark.Before(now), mark.Seconds(), tellRows).Scan(&tokens).Error; err != nil {
			return nil, err
		}
		if err := tx.Raw(untoldSecrets, now, mark.Before(now), mark.Seconds(), tellRows).Scan(&secrets).Error; err != nil {
			return nil, err
		}
		add(i, tokens)
		add(i, secrets)
	}
	return all[:min(len(all), tellRows)], nil
}

func tell(tx *gorm.DB, due []markedEnding, now models.Time, body func(models.Ending, models.Time) (string, error)) ([]models.Warning, error) {
	teams, queues := map[string][]teamMember{}, map[string]*queue{}
	var told []models.Warning
	for _, e := range due {
		for _, mark := range models.Marks[e.mark:] {
			err := tx.Exec("INSERT INTO warnings (object_id, mark, ends_at, told_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", e.ID, mark.Seconds(), e.EndsAt, now).Error
			if err != nil {
				return nil, err
			}
		}
		members, known := teams[e.TeamID]
		if !known {
			var err error
			if members, err = membersOf(tx, e.TeamID); err != nil {
				return nil, err
			}
			if queues[e.TeamID], err = openQueue(tx, e.TeamID, now); err != nil {
				return nil, err
			}
			teams[e.TeamID] = members
		}
		if err := queues[e.TeamID].addEnding(e.Ending, body); err != nil {
			return nil, err
		}
		told = append(told, models.Warning{Ending: e.Ending, People: peopleFor(members, e.ending)})
	}
	return told, nil
}

type teamMember struct {
	models.Recipient `gorm:"embedded"`
	Role             models.Role
}

func membersOf(tx *gorm.DB, team string) ([]teamMember, error) {
	var members []teamMember
	err := tx.Raw(`SELECT m.user_id, m.role, u.name, u.email, u.time_zone FROM members m JOIN users u ON u.id = m.user_id
		WHERE m.team_id = ? AND u.disabled_at = 0 ORDER BY m.created_at, m.user_id`, team).Scan(&members).Error
	return members, err
}

// peopleFor are the owners, who made it, and who took its application over.
func peopleFor(members []teamMember, e ending) []models.Recipient {
	var people []models.Recipient
	for _, m := range members {
		if m.Role == models.RoleOwner || m.UserID == e.MadeBy || m.UserID == e.TakenOverBy {
			people = append(people, m.Recipient)
		}
	}
	return people
}

// CalendarEndings lists what of a team ends, the first to end first: old secrets, and
// manual tokens that live longer than the nearest mark.
func (s *Store) CalendarEndings(ctx context.Context, team string) ([]models.Ending, error) {
	var all []models.Ending
	now := s.now()
	err := s.read(ctx).Raw("SELECT * FROM (SELECT 'token' AS kind, x.name, "+endingColumns+" FROM tokens x"+s.sql.index("tokens_ending_by_team")+endingJoins+
		"WHERE x.team_id = ? AND x.kind = 'manual' AND x.revoked_at = 0 AND x.epoch = a.epoch AND x.expires_at > ? AND x.expires_at - x.created_at > "+dayText+
		" AND a.deleted_at = 0 ORDER BY x.expires_at LIMIT ?) AS tokens UNION ALL SELECT 'secret', '', "+endingColumns+" FROM client_secrets x"+endingJoins+
		"WHERE x.team_id = ? AND x.expires_at <> 0 AND x.expires_at > ? AND a.deleted_at = 0 ORDER BY ends_at, id LIMIT ?",
		team, now, models.MaxCalendarEvents, team, now, models.MaxCalendarEvents).Scan(&all).Error
	return all, translate(err)
}

// sweepWarnings deletes what nobody asks for any more: marks of what has ended a week
// ago, and deliveries that are old.
func sweepWarnings(tx *gorm.DB, now models.Time) error {
	if err := tx.Exec("DELETE FROM warnings WHERE ends_at < ?", now.Add(-time.Duration(week))).Error; err != nil {
		return err
	}
	if err := tx.Exec("DELETE FROM kept_findings WHERE kept_until <= ?", now).Error; err != nil {
		return err
	}
	return tx.Exec("DELETE FROM webhook_deliveries WHERE created_at < ?", now.Add(-models.KeepDeliveries)).Error
}
