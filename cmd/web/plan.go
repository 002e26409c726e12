package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

func (p *program) planCommand() *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "make plans and give them to teams",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return usagef("say what to do: %s plan list, add or give", cmd.Root().Name)
		},
		Commands: []*cli.Command{
			{Name: "list", Usage: "list the plans", Action: p.planList},
			{
				Name: "add", Usage: "add a plan; the same one again changes nothing", Action: p.planAdd,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "name", Usage: "what teams know it by"},
					&cli.StringFlag{Name: "points", Usage: "points that a team gets for each period"},
					&cli.StringFlag{Name: "period", Value: models.PeriodMonth, Usage: "month, or a number of days such as 30d"},
					&cli.StringFlag{Name: "rate", Usage: "requests a minute, of the whole team (default: no limit)"},
					&cli.StringFlag{Name: "streams", Usage: "streams open at once (default: no limit)"},
					&cli.StringFlag{Name: "members", Usage: "members of a team (default: no limit of the plan's own)"},
					&cli.BoolFlag{Name: "overage", Usage: "let calls go on without points"},
					&cli.BoolFlag{Name: "default", Usage: "give it to new teams"},
				},
			},
			{
				Name: "give", Usage: "give a team a plan; a period of it begins now", Action: p.planGive,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "team", Usage: "name or ID of the team"},
					&cli.StringFlag{Name: "plan", Usage: "name or ID of the plan"},
					&cli.StringFlag{Name: "until", Usage: "last day of the plan in UTC, such as 2027-12-31 (default: no end)"},
				},
			},
		},
	}
}

func (p *program) planList(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		plans, err := db.Plans(ctx)
		if err != nil {
			return err
		}
		if len(plans) == 0 {
			return p.print("There is no plan. Add one: " + cmd.Root().Name + " plan add --name NAME --points POINTS")
		}
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		_, err = fmt.Fprintln(table, "NAME\tPOINTS\tPERIOD\tREQUESTS A MINUTE\tSTREAMS\tMEMBERS\tOVERAGE\tTEAMS\tSTATE")
		for _, plan := range plans {
			_, failed := fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%t\t%d\t%s\n", plan.Name, plan.Points, plan.PeriodText(), models.LimitText(plan.RateLimit),
				models.LimitText(plan.Streams), models.LimitText(plan.Members), plan.Overage, plan.Teams, planState(plan.Plan))
			err = errors.Join(err, failed)
		}
		return errors.Join(err, table.Flush())
	})
}

func planState(plan models.Plan) string {
	switch {
	case !plan.RetiredAt.IsZero():
		return "retired"
	case plan.IsDefault:
		return "default"
	}
	return "-"
}

func (p *program) planAdd(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	typed := models.PlanInput{
		Name: cmd.String("name"), Points: cmd.String("points"), Period: cmd.String("period"), Rate: cmd.String("rate"), Streams: cmd.String("streams"),
		Members: cmd.String("members"), Overage: cmd.Bool("overage"), Default: cmd.Bool("default"),
	}
	if days, ok := strings.CutSuffix(typed.Period, "d"); ok {
		typed.Period, typed.Days = models.PeriodDays, days
	}
	plan, err := typed.Validate()
	if err != nil {
		return flagErrors(asPeriod(err))
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		if err := db.AddPlan(ctx, models.CommandLine, plan); err != nil {
			return refusedFields(err)
		}
		return p.print("Added the plan " + plan.Name + ".")
	})
}

// asPeriod puts what is wrong with the days where the command has them.
func asPeriod(err error) error {
	var fields models.FieldErrors
	if !errors.As(err, &fields) {
		return err
	}
	if fields["period"] != "" || fields["days"] != "" {
		fields["period"] = "Write month, or a number of days from 1d to 366d."
		delete(fields, "days")
	}
	return fields
}

func (p *program) planGive(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	until, problem := models.ParseLastDay(cmd.String("until"), clockMillis())
	switch {
	case cmd.String("team") == "":
		return usagef("--team: Write the name or the ID of a team.")
	case cmd.String("plan") == "":
		return usagef("--plan: Write the name or the ID of a plan.")
	case problem != "":
		return usagef("--until: %s", problem)
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		team, err := teamCalled(ctx, db, cmd.String("team"))
		if err != nil {
			return err
		}
		plan, err := db.Plan(ctx, cmd.String("plan"))
		if errors.Is(err, models.ErrNotFound) {
			return fmt.Errorf("there is no plan called %s: %s plan list shows what there is", cmd.String("plan"), cmd.Root().Name)
		}
		if err != nil {
			return err
		}
		if err := db.GivePlan(ctx, models.CommandLine, team.ID, plan.ID, until); err != nil {
			return refusedFields(err)
		}
		return p.print("Gave " + team.Name + " the plan " + plan.Name + ".")
	})
}

// teamCalled finds the one team of a name or an ID.
func teamCalled(ctx context.Context, db *store.Store, idOrName string) (models.Team, error) {
	teams, err := db.FindTeams(ctx, idOrName)
	switch {
	case err != nil:
		return models.Team{}, err
	case len(teams) == 0:
		return models.Team{}, fmt.Errorf("there is no team %s", idOrName)
	case len(teams) > 1:
		ids := make([]string, len(teams))
		for i, team := range teams {
			ids[i] = team.ID
		}
		return models.Team{}, fmt.Errorf("several teams are called %s, write the ID of one: %s", idOrName, strings.Join(ids, ", "))
	}
	return teams[0], nil
}
