package store

import "github.com/latchkey/latchkey/models"

// grantPlan gives a team a plan and begins a period of it now. What is left of the points
// of the plan before lapses.
func (c change) grantPlan(team string, plan models.Plan, endsAt models.Time) error {
	if err := c.lapse(team); err != nil {
		return err
	}
	err := c.Exec(`INSERT INTO team_plans (team_id, plan_id, since, period_started_at, period_ends_at, granted, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (team_id) DO UPDATE SET plan_id = excluded.plan_id, since = excluded.since, period_started_at = excluded.period_started_at,
			period_ends_at = excluded.period_ends_at, granted = excluded.granted, ends_at = excluded.ends_at`,
		team, plan.ID, c.now, c.now, plan.PeriodEnd(c.now), plan.Points, endsAt).Error
	if err != nil || plan.Points == 0 {
		return err
	}
	_, err = addEntry(c.DB, models.LedgerEntry{TeamID: team, At: c.now, Kind: models.LedgerPlan, Points: plan.Points, ActorID: c.event.ActorID, ActorName: c.event.ActorName})
	return err
}

// dropPlan takes a team's plan away. What is left of its points lapses.
func (c change) dropPlan(team string) error {
	if err := c.lapse(team); err != nil {
		return err
	}
	return c.Exec("DELETE FROM team_plans WHERE team_id = ?", team).Error
}

func (c change) lapse(team string) error {
	var at struct{ Granted, Balance, PeriodUsed int64 }
	err := c.Raw(`SELECT COALESCE((SELECT granted FROM team_plans WHERE team_id = p.team_id), 0) AS granted, balance, period_used
		FROM team_points p WHERE team_id = ?`, team).Scan(&at).Error
	if err != nil {
		return err
	}
	if left := min(at.Balance, at.Granted-at.PeriodUsed); left > 0 {
		if _, err := addEntry(c.DB, models.LedgerEntry{TeamID: team, At: c.now, Kind: models.LedgerLapse, Points: -left}); err != nil {
			return err
		}
	}
	return c.Exec("UPDATE team_points SET period_used = 0, period_bought = 0 WHERE team_id = ?", team).Error
}
