package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// Plans lists every plan by name, retired ones last.
func (s *Store) Plans(ctx context.Context) ([]models.PlanRow, error) {
	var rows []models.PlanRow
	err := s.read(ctx).Raw(`SELECT p.*, (SELECT COUNT(*) FROM team_plans t WHERE t.plan_id = p.id) AS teams
		FROM plans p ORDER BY p.retired_at <> 0, p.name_key`).Scan(&rows).Error
	return rows, translate(err)
}

// Plan finds a plan, retired or not, by its ID or its name.
func (s *Store) Plan(ctx context.Context, idOrName string) (models.PlanRow, error) {
	var row models.PlanRow
	err := s.read(ctx).Raw(`SELECT p.*, (SELECT COUNT(*) FROM team_plans t WHERE t.plan_id = p.id) AS teams
		FROM plans p WHERE p.id = ? OR p.name_key = ?`, idOrName, models.FoldName(idOrName)).Take(&row).Error
	return row, translate(err)
}

// AddPlan adds a plan that was validated. The same terms under the same name again change
// nothing; other ones give models.FieldErrors (name).
func (s *Store) AddPlan(ctx context.Context, actor models.Actor, plan models.Plan) error {
	return s.operate(ctx, actor, models.AuditPlanAdded, func(c change) error {
		var same models.Plan
		err := c.Where("name_key = ?", plan.NameKey).Take(&same).Error
		if err == nil && same.SameTerms(plan) && same.RetiredAt.IsZero() {
			return errNothingToDo
		}
		if err == nil {
			return planNameTaken(plan.Name)
		}
		if !errors.Is(err, gorm.ErrRecordNotFound) {
			return err
		}
		plan.ID, plan.Version, plan.CreatedAt = NewID(), 1, c.now
		c.about("plan", plan.ID, plan.Name)
		if err := c.noteTerms(models.Plan{}, plan); err != nil {
			return err
		}
		if err := c.onlyDefault(plan); err != nil {
			return err
		}
		return c.Create(&plan).Error
	})
}

func planNameTaken(name string) error {
	return models.FieldErrors{"name": "There is a plan called " + name + " already. Choose another name."}
}

// onlyDefault takes the default from whichever plan had it where this one is to have it.
func (c change) onlyDefault(plan models.Plan) error {
	if !plan.IsDefault {
		return nil
	}
	return c.Exec("UPDATE plans SET is_default = FALSE, version = version + 1 WHERE is_default AND id <> ?", plan.ID).Error
}

// ChangePlan gives a plan other terms. Limits and overage hold for the teams that have it
// at once, points and period from each team's next period. A version other than the
// plan's gives models.ErrConflict, zero stands for any; a name that another plan has
// models.FieldErrors (name), a retired plan that is to be the default one (default).
func (s *Store) ChangePlan(ctx context.Context, actor models.Actor, id string, plan models.Plan, version int64) error {
	return s.operate(ctx, actor, models.AuditPlanChanged, func(c change) error {
		var before models.Plan
		if err := c.Where("id = ?", id).Take(&before).Error; err != nil {
			return err
		}
		switch {
		case before.SameTerms(plan):
			return errNothingToDo
		case version != 0 && version != before.Version:
			return models.ErrConflict
		case plan.IsDefault && !before.RetiredAt.IsZero():
			return models.FieldErrors{"default": "This plan is retired: new teams cannot get it."}
		}
		plan.ID = id
		c.about("plan", id, plan.Name)
		if err := errors.Join(c.noteTerms(before, plan), c.onlyDefault(plan)); err != nil {
			return err
		}
		err := c.Exec(`UPDATE plans SET name = ?, name_key = ?, points = ?, period_days = ?, rate_limit = ?, streams = ?, members = ?,
			overage = ?, is_default = ?, version = version + 1, changed_at = ? WHERE id = ?`,
			plan.Name, plan.NameKey, plan.Points, plan.PeriodDays, plan.RateLimit, plan.Streams, plan.Members, plan.Overage, plan.IsDefault, c.now, id).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return planNameTaken(plan.Name)
		}
		if err != nil {
			return err
		}
		return c.tellTeamsWith(id)
	})
}

// noteTerms notes every term that differs.
func (c change) noteTerms(before, after models.Plan) error {
	said := func(p models.Plan) []string {
		if p.ID == "" {
			return make([]string, 8)
		}
		return []string{
			p.Name, models.FormatNumber(p.Points), p.PeriodText(), models.LimitText(p.RateLimit), models.LimitText(p.Streams),
			models.LimitText(p.Members), yesNo(p.Overage), yesNo(p.IsDefault),
		}
	}
	was, is := said(before), said(after)
	for i, field := range []string{"Name", "Points", "Period", "Requests a minute", "Streams", "Members", "Overage", "Default"} {
		if err := c.changed(field, was[i], is[i]); err != nil {
			return err
		}
	}
	return nil
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// tellTeamsWith has caches forget how the teams stand that have a plan.
func (c change) tellTeamsWith(plan string) error {
	var teams []string
	if err := c.Raw("SELECT team_id FROM team_plans WHERE plan_id = ?", plan).Scan(&teams).Error; err != nil {
		return err
	}
	for _, team := range teams {
		c.tell(models.Notice{TeamID: team})
	}
	return nil
}

// RetirePlan lets no more teams get a plan, new ones neither. Those that have it keep it.
func (s *Store) RetirePlan(ctx context.Context, actor models.Actor, id string) error {
	return s.operate(ctx, actor, models.AuditPlanRetired, func(c change) error {
		var plan models.Plan
		if err := c.Where("id = ?", id).Take(&plan).Error; err != nil {
			return err
		}
		c.about("plan", plan.ID, plan.Name)
		if err := c.changed("Default", yesNo(plan.IsDefault), yesNo(false)); err != nil {
			return err
		}
		return affected(c.Exec("UPDATE plans SET retired_at = ?, is_default = FALSE, version = version + 1 WHERE id = ? AND retired_at = 0", c.now, id), errNothingToDo)
	})
}

// GivePlan gives a team a plan until endsAt, zero for no end. A period begins now, and
// what is left of the plan before lapses. The plan that the team has keeps its period:
// its end alone changes. A plan that is retired or unknown gives models.FieldErrors
// (plan), an end that has passed too (until).
func (s *Store) GivePlan(ctx context.Context, actor models.Actor, team, planID string, endsAt models.Time) error {
	return s.operate(ctx, actor, models.AuditPlanGiven, func(c change) error {
		if _, err := c.ledgerOf(team); err != nil {
			return err
		}
		before, err := c.teamPlan(team)
		if err != nil {
			return err
		}
		plan, err := c.givenPlan(planID, before, endsAt)
		if err != nil {
			return err
		}
		c.about("plan", plan.ID, plan.Name)
		err = errors.Join(c.changed("Plan", before.Name, plan.Name), c.changed("Last day", models.LastDay(before.EndsAt), models.LastDay(endsAt)))
		if err != nil {
			return err
		}
		switch {
		case before.PlanID != plan.ID, before.ended(c.now):
			return c.grantPlan(team, plan, endsAt)
		case before.EndsAt == endsAt:
			return errNothingToDo
		}
		c.tell(models.Notice{TeamID: team})
		return c.Exec("UPDATE team_plans SET ends_at = ? WHERE team_id = ?", endsAt, team).Error
	})
}

func (c change) givenPlan(id string, before namedTeamPlan, endsAt models.Time) (models.Plan, error) {
	var plan models.Plan
	err := c.Where("id = ?", id).Take(&plan).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return plan, models.FieldErrors{"plan": "Choose one of the plans shown."}
	case err != nil:
		return plan, err
	case !plan.RetiredAt.IsZero() && (plan.ID != before.PlanID || before.ended(c.now)):
		return plan, models.FieldErrors{"plan": "The plan " + plan.Name + " is retired. Choose another one."}
	case !endsAt.IsZero() && endsAt <= c.now:
		return plan, models.FieldErrors{"until": "Choose today or a later day, or leave it empty."}
	}
	return plan, nil
}

// EndPlan takes a team's plan away now: it is not limited any more and pays no points.
// What is left of the plan's points lapses.
func (s *Store) EndPlan(ctx context.Context, actor models.Actor, team string) error {
	return s.operate(ctx, actor, models.AuditPlanEnded, func(c change) error {
		if _, err := c.ledgerOf(team); err != nil {
			return err
		}
		before, err := c.teamPlan(team)
		if err != nil {
			return err
		}
		if before.PlanID == "" {
			return errNothingToDo
		}
		c.about("plan", before.PlanID, before.Name)
		return c.dropPlan(team)
	})
}

// namedTeamPlan is a team's plan with its name, empty for none.
type namedTeamPlan struct {
	models.TeamPlan `gorm:"embedded"`
	Name            string
}

func (p namedTeamPlan) ended(now models.Time) bool { return !p.EndsAt.IsZero() && p.EndsAt <= now }

func (c change) teamPlan(team string) (namedTeamPlan, error) {
	var found namedTeamPlan
	err := c.Raw("SELECT t.*, p.name FROM team_plans t JOIN plans p ON p.id = t.plan_id WHERE t.team_id = ?", team).Scan(&found).Error
	return found, err
}

// createTeam makes a team with the application that each has from the start, and with the
// default plan where there is one.
func (c change) createTeam(team models.Team) error {
	if err := c.Create(&team).Error; err != nil {
		return err
	}
	if err := c.addBuiltIn(team.ID); err != nil {
		return err
	}
	var plans []models.Plan
	if err := c.Where("is_default AND retired_at = 0").Limit(1).Find(&plans).Error; err != nil || len(plans) == 0 {
		return err
	}
	return errors.Join(c.changed("Plan", "", plans[0].Name), c.grantPlan(team.ID, plans[0], 0))
}

// memberLimit is how many members the plan of a team allows, and its name; zero for no limit.
func (c change) memberLimit(team string) (limit int64, plan string, err error) {
	var found struct {
		Members int64
		Name    string
	}
	err = c.Raw("SELECT p.members, p.name FROM team_plans t JOIN plans p ON p.id = t.plan_id WHERE t.team_id = ?", team).Scan(&found).Error
	return found.Members, found.Name, err
}
