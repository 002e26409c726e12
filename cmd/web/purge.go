package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

const (
	// restFactor keeps the share of the time in which a purge holds the database
	// below a tenth, so that tokens are issued beside it.
	restFactor = 16
	// lateFactor is for a purge that is not done when the next one is due: it must
	// not fall behind what is issued.
	lateFactor = 3
)

// purge deletes what is due and gives free space back to the disk.
func purge(ctx context.Context, db *store.Store, keep store.Retention, hurry bool) (deleted int64, err error) {
	if err := purgeLeftovers(ctx, db, hurry); err != nil {
		return 0, err
	}
	return purgeTokens(ctx, db, keep, hurry)
}

// purgeLeftovers erases what of a token or an assertion nobody needs once it expired, and
// old counts of calls.
func purgeLeftovers(ctx context.Context, db *store.Store, hurry bool) error {
	return inSteps(ctx, hurry, holding(db.PurgeLeftovers()))
}

// rollPeriods ends the periods of teams that make no calls, and begins the next ones.
func rollPeriods(ctx context.Context, db *store.Store, hurry bool) error {
	return inSteps(ctx, hurry, func(ctx context.Context) (bool, time.Duration, error) {
		start := time.Now()
		done, err := db.RollPeriods(ctx)
		return done, time.Since(start), err
	})
}

// purgeTokens deletes tokens that ended longer ago than they are kept, and gives free
// space back to the disk.
func purgeTokens(ctx context.Context, db *store.Store, keep store.Retention, hurry bool) (deleted int64, err error) {
	due, err := db.Purge(ctx, keep)
	if err != nil {
		return 0, err
	}
	err = inSteps(ctx, hurry, holding(due))
	if err == nil {
		err = inSteps(ctx, hurry, func(ctx context.Context) (bool, time.Duration, error) {
			start := time.Now()
			done, err := db.Shrink(ctx)
			return done, time.Since(start), err
		})
	}
	return due.Deleted, err
}

func holding(p *store.Purge) step {
	return func(ctx context.Context) (bool, time.Duration, error) {
		done, err := p.Step(ctx)
		return done, p.Held, err
	}
}

// step reports whether it was the last, and how long it kept others from writing.
type step func(ctx context.Context) (done bool, held time.Duration, err error)

// turns lets one purge at a time make a step and rest from it: two together would hold
// the database twice as much.
var turns sync.Mutex

func inSteps(ctx context.Context, hurry bool, next step) error {
	began := time.Now()
	one := func() (done bool, err error) {
		turns.Lock()
		defer turns.Unlock()
		done, held, err := next(ctx)
		if err != nil || done {
			return done, err
		}
		return false, pause(ctx, rest(held, time.Since(began), hurry))
	}
	for {
		if done, err := one(); err != nil || done {
			return err
		}
	}
}

// rest is how long a purge pauses after a step that kept others from writing for held,
// if it has been running for so long.
func rest(held, running time.Duration, hurry bool) time.Duration {
	switch {
	case hurry:
		return 0
	case running > sweepEvery:
		return lateFactor * held
	}
	return restFactor * held
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// purgeAndLog is the purge on the schedule of a running server.
func purgeAndLog(ctx context.Context, db *store.Store, keep store.Retention, done *job, log *slog.Logger) {
	deleted, err := purgeTokens(ctx, db, keep, false)
	done.ended(deleted, err)
	if deleted > 0 {
		log.Info("ended tokens deleted", "tokens", deleted)
	}
	if err != nil && ctx.Err() == nil {
		log.Warn("not all ended tokens were deleted, the next run is in an hour", "error", err)
	}
}

func (p *program) purgeCommand() *cli.Command {
	return &cli.Command{
		Name: "purge", Usage: "delete tokens that ended longer ago than they are kept, and old audit entries; serve does so every hour", Action: p.purge,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "hurry", Usage: "make no pauses for a server that runs beside it"}},
	}
}

func (p *program) purge(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		deleted, err := purge(ctx, db, config.Keep, cmd.Bool("hurry"))
		if err != nil {
			return fmt.Errorf("%s deleted, then it failed, run it again: %w", models.Count(deleted, "token"), err)
		}
		if err := p.print(models.Count(deleted, "token") + " deleted."); err != nil {
			return err
		}
		entries, err := pruneAudit(ctx, db, config.Keep.Audit, cmd.Bool("hurry"))
		if err != nil || entries == 0 {
			return err
		}
		return p.print("Old audit entries deleted: " + models.FormatNumber(entries) + ".")
	})
}

func (p *program) statusCommand() *cli.Command {
	return &cli.Command{Name: "status", Usage: "show how much the database holds", Action: p.status}
}

func (p *program) status(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		status, err := db.Status(ctx)
		if err != nil {
			return err
		}
		return p.printStatus(config, status)
	})
}

func (p *program) printStatus(config Config, s store.Status) error {
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	row := func(name, value string) { _, _ = fmt.Fprintf(table, "%s\t%s\n", name, value) } // Flush reports what failed
	row("Version", version())
	row("Database", config.Database)
	if s.InFile {
		row("Size", megabytes(s.Bytes())+", of which "+megabytes(s.FreeBytes())+" free for what comes")
		row("Write-ahead log", megabytes(s.WALBytes))
	} else {
		row("Size", megabytes(s.Bytes()))
	}
	row("Users", models.FormatNumber(s.Users))
	row("Teams", models.FormatNumber(s.Teams))
	row("Applications", models.FormatNumber(s.Applications))
	row("Resource servers", models.FormatNumber(s.ResourceServers))
	row("Sessions", models.FormatNumber(s.Sessions))
	row("Audit events", models.FormatNumber(s.AuditEvents))
	row("Used client assertions", models.FormatNumber(s.Assertions))
	for _, count := range s.Tokens {
		row("Tokens, "+string(count.Kind), models.FormatNumber(count.Active)+" active, "+
			models.FormatNumber(count.Expired)+" expired, "+models.FormatNumber(count.Revoked)+" revoked")
	}
	row("Kept after they end", config.Keep.Manual.String()+" manual, "+config.Keep.Issued.String()+" client_credentials and temporary")
	row("Audit entries are kept", config.Keep.Audit.String())
	return table.Flush()
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20)) }
