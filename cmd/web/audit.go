package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// pruneAudit deletes audit events that were kept long enough.
func pruneAudit(ctx context.Context, db *store.Store, keep time.Duration, hurry bool) (deleted int64, err error) {
	due, err := db.PurgeAudit(ctx, keep)
	if err != nil {
		return 0, err
	}
	err = inSteps(ctx, hurry, func(ctx context.Context) (bool, time.Duration, error) {
		done, err := due.Step(ctx)
		return done, due.Held, err
	})
	return due.Deleted, err
}

// pruneAndLog is pruneAudit on the schedule of a running server.
func pruneAndLog(ctx context.Context, db *store.Store, keep time.Duration, done *job, log *slog.Logger) {
	deleted, err := pruneAudit(ctx, db, keep, false)
	done.ended(deleted, err)
	if deleted > 0 {
		log.Info("old audit entries deleted", "entries", deleted)
	}
	if err != nil && ctx.Err() == nil {
		log.Warn("not all old audit entries were deleted, the next run is in an hour", "error", err)
	}
}

func (p *program) auditCommand() *cli.Command {
	team := &cli.StringFlag{Name: "team", Usage: "name or ID of one team (default: all)"}
	installation := &cli.BoolFlag{Name: "installation", Usage: "only what was done outside of a team"}
	return &cli.Command{
		Name: "audit", Usage: "check that the audit log was not tampered with",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return usagef("say what to do: %[1]s audit verify or %[1]s audit head", cmd.Root().Name)
		},
		Commands: []*cli.Command{
			{
				Name: "verify", Usage: "name the first entry that was changed, removed or inserted", Action: p.auditVerify,
				Flags: []cli.Flag{team, installation, &cli.StringFlag{Name: "head", Usage: "what audit head printed earlier for that team, to find out whether all up to there is as it was"}},
			},
			{Name: "head", Usage: "print the last entry's number and hash, to be kept elsewhere", Action: p.auditHead, Flags: []cli.Flag{team, installation}},
		},
	}
}

// chainsOf reads the settings and finds the chains that the flags name.
func (p *program) chainsOf(ctx context.Context, cmd *cli.Command, do func(db *store.Store, chains []store.TeamChain) error) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	team, installation := cmd.String("team"), cmd.Bool("installation")
	if team != "" && installation {
		return usagef("--installation: leave it out, or leave out --team")
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		chains, err := db.AuditChains(ctx)
		if err != nil {
			return err
		}
		if team != "" || installation {
			if chains, err = oneChain(chains, team); err != nil {
				return err
			}
		}
		return do(db, chains)
	})
}

// oneChain finds that of a team by its name or ID, that of the installation for an empty one.
func oneChain(all []store.TeamChain, team string) ([]store.TeamChain, error) {
	var found []store.TeamChain
	for _, chain := range all {
		if chain.TeamID == team {
			return []store.TeamChain{chain}, nil
		}
		if team != "" && models.FoldName(chain.Name) == models.FoldName(team) {
			found = append(found, chain)
		}
	}
	switch {
	case len(found) > 1:
		return nil, fmt.Errorf("several teams are called %q: write the ID of one, such as %s", team, found[0].TeamID)
	case len(found) == 0 && team != "":
		return nil, fmt.Errorf("no team called %q has an audit log", team)
	}
	return found, nil
}

func titleOf(chain store.TeamChain) string {
	switch {
	case chain.TeamID == "":
		return "Installation"
	case chain.Name == "":
		return "Team " + strconv.Quote(chain.TeamID)
	}
	return chain.Name
}

func (p *program) auditHead(ctx context.Context, cmd *cli.Command) error {
	return p.chainsOf(ctx, cmd, func(_ *store.Store, chains []store.TeamChain) error {
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		_, err := fmt.Fprintln(table, "TEAM\tTEAM ID\tHEAD")
		for _, chain := range chains {
			_, failed := fmt.Fprintf(table, "%s\t%s\t%s\n", titleOf(chain), chain.TeamID, chain.Head())
			err = errors.Join(err, failed)
		}
		return errors.Join(err, table.Flush())
	})
}

func (p *program) auditVerify(ctx context.Context, cmd *cli.Command) error {
	var kept models.AuditHead
	if text := cmd.String("head"); text != "" {
		var ok bool
		if kept, ok = models.ParseAuditHead(text); !ok {
			return usagef("--head: write what %s audit head printed: a number, a colon and 64 hexadecimal digits", cmd.Root().Name)
		}
		if cmd.String("team") == "" && !cmd.Bool("installation") {
			return usagef("--head: say whose it is with --team or --installation")
		}
	}
	return p.chainsOf(ctx, cmd, func(db *store.Store, chains []store.TeamChain) error {
		var problems []error
		if len(chains) == 0 {
			return errors.New("there is no audit log: nothing was done here yet, or all of it was removed")
		}
		for _, chain := range chains {
			verdict, err := db.VerifyAudit(ctx, chain.TeamID, kept)
			switch {
			case errors.Is(err, models.ErrNotFound):
				problems = append(problems, fmt.Errorf("%s: entry %d was deleted after its time, so its hash cannot be compared any more: keep a newer head", titleOf(chain), kept.Seq))
			case err != nil:
				return err
			case verdict.Break != nil:
				problems = append(problems, errors.New(titleOf(chain)+": "+brokenText(*verdict.Break)))
			default:
				problems = append(problems, p.print(titleOf(chain)+": "+wholeText(verdict.AuditChain)))
			}
		}
		return errors.Join(problems...)
	})
}

func wholeText(chain models.AuditChain) string {
	if chain.Kept() == 0 {
		return "no entries."
	}
	return fmt.Sprintf("entries %d to %d are as they were written. Head %s", chain.FirstSeq, chain.LastSeq, chain.Head())
}

// brokenText quotes what somebody may have put into the database.
func brokenText(broken models.ChainBreak) string {
	text := fmt.Sprintf("entry %d %s", broken.Seq, broken.Kind)
	if broken.Event.ID == "" {
		return text
	}
	return text + fmt.Sprintf(" (ID %q, %q, dated %s)", broken.Event.ID, broken.Event.Action, moment(broken.Event.At))
}
