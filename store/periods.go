package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// rollTeams is how many periods of idle teams one transaction ends.
const rollTeams = 50

const dueTeams = `SELECT team_id FROM team_plans WHERE (ends_at = 0 OR ends_at > ?) AND period_ends_at <= ?
	OR ends_at <> 0 AND ends_at <= ? AND (granted > 0 OR period_ends_at <> ends_at) LIMIT ?`

// RollPeriods ends what has ended of up to 50 teams that make no calls, and reports
// whether those were the last. Teams that make calls need no sweep: see Standing.
func (s *Store) RollPeriods(ctx context.Context) (done bool, err error) {
	var due []string
	err = s.touch(ctx, func(tx *gorm.DB) error {
		due = nil
		now := s.now()
		if err := tx.Raw(dueTeams, now, now, now, rollTeams).Scan(&due).Error; err != nil {
			return err
		}
		for _, team := range due {
			if err := rollPeriod(tx, team, now); err != nil {
				return err
			}
		}
		return nil
	})
	return len(due) < rollTeams, err
}

// rollPeriod ends a team's period and begins the one that now is in; periods in between
// are skipped. A plan that has ended gets no other. Of several nodes that see a period end
// one rolls it: the others find it rolled.
func rollPeriod(tx *gorm.DB, team string, now models.Time) error {
	held, err := planOf(tx, team)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil || !held.Due(now) {
		return err
	}
	next := models.TeamPlan{TeamID: team, PeriodStartedAt: held.PeriodStartedAt, PeriodEndsAt: held.EndsAt}
	if !held.Ended(now) {
		next.PeriodStartedAt, next.PeriodEndsAt = held.Plan.PeriodAt(held.PeriodEndsAt, now)
		next.Granted = held.Plan.Points
	}
	moved := tx.Exec(`UPDATE team_plans SET period_started_at = ?, period_ends_at = ?, granted = ?
		WHERE team_id = ? AND period_started_at = ? AND period_ends_at = ?`,
		next.PeriodStartedAt, next.PeriodEndsAt, next.Granted, team, held.PeriodStartedAt, held.PeriodEndsAt)
	if moved.Error != nil || moved.RowsAffected == 0 {
		return moved.Error
	}
	if err := closePeriod(tx, held, models.LedgerEntry{At: now}); err != nil {
		return err
	}
	return enter(tx, models.LedgerEntry{TeamID: team, At: now, Kind: models.LedgerPlan, Points: next.Granted})
}

func planOf(tx *gorm.DB, team string) (models.Standing, error) {
	var held models.Standing
	if err := tx.Where("team_id = ?", team).Take(&held.TeamPlan).Error; err != nil {
		return held, err
	}
	if err := tx.Where("id = ?", held.PlanID).Take(&held.Plan).Error; err != nil {
		return held, err
	}
	var points struct{ Balance, PeriodUsed int64 }
	err := tx.Raw("SELECT balance, period_used FROM team_points WHERE team_id = ?", team).Scan(&points).Error
	held.HasPlan, held.Balance, held.Used = true, points.Balance, points.PeriodUsed
	return held, err
}

// closePeriod takes back what is left of the period's points, settles what was used beyond
// the balance where the plan allows that, and counts anew. A plan's points are spent before
// those that were bought. like holds the time of the entries and whose deed it is.
func closePeriod(tx *gorm.DB, held models.Standing, like models.LedgerEntry) error {
	entry := like
	entry.TeamID = held.TeamID
	switch {
	case held.Balance > 0:
		entry.Kind, entry.Points = models.LedgerLapse, -min(max(held.Granted-held.Used, 0), held.Balance)
	case held.Plan.Overage:
		entry.Kind, entry.Points = models.LedgerOverage, -held.Balance
	}
	if err := enter(tx, entry); err != nil {
		return err
	}
	return tx.Exec("UPDATE team_points SET period_used = 0, period_bought = 0 WHERE team_id = ?", held.TeamID).Error
}

// enter is addEntry for what may be nothing.
func enter(tx *gorm.DB, entry models.LedgerEntry) error {
	if entry.Points == 0 {
		return nil
	}
	_, err := addEntry(tx, entry)
	return err
}

// entry is like for closePeriod: whoever the change is noted for gives and takes.
func (c change) entry() models.LedgerEntry {
	return models.LedgerEntry{At: c.now, ActorID: c.event.ActorID, ActorName: c.event.ActorName}
}

// grantPlan gives a team a plan in place of the one that it has, whose rest lapses, and
// begins a period now. endsAt is zero for a plan without an end. Live tokens are under
// the new plan as soon as caches have heard.
func (c change) grantPlan(team string, plan models.Plan, endsAt models.Time) error {
	if err := c.closePlan(team); err != nil {
		return err
	}
	err := c.Exec(`INSERT INTO team_plans (team_id, plan_id, since, period_started_at, period_ends_at, granted, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (team_id) DO UPDATE SET plan_id = excluded.plan_id, since = excluded.since, period_started_at = excluded.period_started_at,
			period_ends_at = excluded.period_ends_at, granted = excluded.granted, ends_at = excluded.ends_at`,
		team, plan.ID, c.now, c.now, plan.PeriodEnd(c.now), plan.Points, endsAt).Error
	if err != nil {
		return err
	}
	entry := c.entry()
	entry.TeamID, entry.Kind, entry.Points = team, models.LedgerPlan, plan.Points
	return enter(c.DB, entry)
}

// dropPlan takes a team's plan away, and what is left of its points. What was bought stays.
func (c change) dropPlan(team string) error {
	if err := c.closePlan(team); err != nil {
		return err
	}
	return c.Exec("DELETE FROM team_plans WHERE team_id = ?", team).Error
}

// closePlan closes the period of the plan that a team has, if it has one.
func (c change) closePlan(team string) error {
	c.tell(models.Notice{TeamID: team})
	held, err := planOf(c.DB, team)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		// Purchases may have been counted without a period.
		return c.Exec("UPDATE team_points SET period_used = 0, period_bought = 0 WHERE team_id = ?", team).Error
	}
	if err != nil {
		return err
	}
	return closePeriod(c.DB, held, c.entry())
}
