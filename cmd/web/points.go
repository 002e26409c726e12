package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

func (p *program) pointsCommand() *cli.Command {
	return &cli.Command{
		Name: "points", Usage: "add points that a team has bought",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return usagef("say what to do: %s points add", cmd.Root().Name)
		},
		Commands: []*cli.Command{{
			Name: "add", Usage: "add points to a team's balance; they do not lapse", Action: p.pointsAdd,
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "team", Usage: "name or ID of the team"},
				&cli.StringFlag{Name: "points", Usage: "how many"},
				&cli.StringFlag{Name: "event", Usage: "what names the purchase, such as an invoice: the same one again adds nothing"},
				&cli.StringFlag{Name: "note", Usage: "what the team reads in its ledger"},
			},
		}},
	}
}

func (p *program) pointsAdd(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	if cmd.String("team") == "" {
		return usagef("--team: Write the name or the ID of a team.")
	}
	typed := models.PointsInput{Points: cmd.String("points"), Reference: cmd.String("event"), Note: cmd.String("note")}
	change, err := typed.Purchase()
	if err != nil {
		return flagErrors(asEvent(err))
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
		change.TeamID = team.ID
		receipt, err := db.AddPoints(ctx, models.CommandLine, change, "")
		if err != nil {
			return refusedFields(asEvent(err))
		}
		did := "Added " + models.Count(change.Points, "point") + "."
		if receipt.Duplicate {
			did = "This purchase was added on " + receipt.At.Std().Format(time.RFC3339) + ". Nothing was changed."
		}
		return p.print(did + " The balance of " + team.Name + " is " + models.Count(receipt.Balance, "point") + ".")
	})
}

// asEvent puts what is wrong with the reference where the command has it.
func asEvent(err error) error {
	var fields models.FieldErrors
	if errors.As(err, &fields) && fields["reference"] != "" {
		fields["event"] = fields["reference"]
		delete(fields, "reference")
	}
	return err
}
