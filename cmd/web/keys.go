package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/rotation"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

const (
	// settleFor is longer than a request that seals takes to its commit.
	settleFor = 10 * time.Second
	// followEvery is how often keys rotate looks how far it is.
	followEvery = 500 * time.Millisecond
)

// newRotation looks after keys, which were read after stamp was taken. hurry makes no pauses
// for others.
func newRotation(config Config, db *store.Store, keys *secrets.Keys, stamp string, log *slog.Logger, hurry bool) *rotation.Rotation {
	return rotation.New(rotation.Deps{
		Store: db, Source: config.keySource(), Keys: keys, Log: log, Now: clockMillis, Settle: settleFor, Actor: models.CommandLine,
		Fits: func(ctx context.Context, keys *secrets.Keys) error {
			_, err := keysFit(ctx, db, keys, config)
			return err
		},
		Rest: func(ctx context.Context, next func(ctx context.Context) (bool, error)) error {
			return inSteps(ctx, hurry, func(ctx context.Context) (bool, time.Duration, error) {
				start := time.Now()
				done, err := next(ctx)
				return done, time.Since(start), err
			})
		},
	}, stamp)
}

func (p *program) keysCommand() *cli.Command {
	return &cli.Command{
		Name: "keys", Usage: "replace the keys that seal values and sign cookies",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return usagef("say what to do: %[1]s keys rotate, %[1]s keys status or %[1]s keys new", cmd.Root().Name)
		},
		Commands: []*cli.Command{
			{
				Name: "rotate", Usage: "add new keys, use them, seal all values anew and remove the old ones; begun already, it goes on", Action: p.keysRotate,
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "print", Usage: "write the key set of the next step to standard output, for a vault; nothing is changed"},
					&cli.BoolFlag{Name: "anew", Usage: "begin another rotation although sessions from before the last one are still accepted"},
				},
			},
			{Name: "status", Usage: "show the keys by name, which servers know them, and how far a rotation is", Action: p.keysStatus},
			{Name: "new", Usage: "write a new key set to standard output, for the vault of a new installation", Action: p.keysNew},
		},
	}
}

// openServing is open for a process that serves: a rotation of keys waits for it from here on.
func openServing(ctx context.Context, config Config, log *slog.Logger) (*store.Store, *secrets.Keys, *rotation.Rotation, error) {
	stamp := config.keySource().Stamp()
	db, keys, err := open(ctx, config)
	if err != nil {
		return nil, nil, nil, err
	}
	db.OnLogKept(func(err error) {
		log.Warn("the write-ahead log grows: what is in it cannot be moved into the database file", "error", err)
	})
	r := newRotation(config, db, keys, stamp, log, false)
	if err := r.Join(ctx, store.NewID()); err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	return db, keys, r, nil
}

// withRotation opens what a command needs. No server of this process runs.
func (p *program) withRotation(ctx context.Context, cmd *cli.Command, do func(db *store.Store, keys *secrets.Keys, r *rotation.Rotation, source rotation.Source) error) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	if err := databaseThere(ctx, config); err != nil {
		return err
	}
	source := config.keySource()
	stamp := source.Stamp()
	db, keys, err := open(ctx, config)
	if err != nil {
		return err
	}
	r := newRotation(config, db, keys, stamp, slog.New(slog.DiscardHandler), true)
	return errors.Join(do(db, keys, r, source), db.Close())
}

func (p *program) keysRotate(ctx context.Context, cmd *cli.Command) error {
	return p.withRotation(ctx, cmd, func(_ *store.Store, keys *secrets.Keys, r *rotation.Rotation, source rotation.Source) error {
		if cmd.Bool("print") {
			return p.printKeys(ctx, r, source, cmd.Bool("anew"))
		}
		phase := rotation.PhaseOf(keys.Names())
		if phase == rotation.Idle || phase == rotation.Sessions && cmd.Bool("anew") {
			err := r.Begin(ctx)
			if errors.Is(err, secrets.ErrKeysReadOnly) {
				return p.explainVault(cmd, source, err)
			}
			if err != nil {
				return err
			}
			if err := p.print("New keys were added: " + keys.Names().Next() + " to seal with."); err != nil {
				return err
			}
		} else if err := p.print("A rotation was begun already, it goes on."); err != nil {
			return err
		}
		return p.followRotation(ctx, cmd, keys, r)
	})
}

// followRotation goes on until values need the old key no more, or the operator has to do something.
func (p *program) followRotation(ctx context.Context, cmd *cli.Command, keys *secrets.Keys, r *rotation.Rotation) error {
	last := ""
	for {
		progress, err := r.Advance(ctx)
		if err != nil {
			return p.interrupted(ctx, cmd, err)
		}
		if line := string(progress.Phase) + ": " + progress.Waits; progress.Waits != "" && line != last {
			last = line
			if err := p.print(line + "."); err != nil {
				return err
			}
		}
		switch phase := rotation.PhaseOf(keys.Names()); {
		case progress.By:
			return p.print("Write that key set there: " + cmd.Root().Name + " keys rotate --print. Then run this again.")
		case phase == rotation.Idle:
			return p.print("Done. The old keys are gone; " + keys.Names().Sealing + " seals.")
		case phase == rotation.Sessions:
			return p.print("Done. All values are sealed with " + keys.Names().Sealing + ", the old sealing key is gone. The old session key goes once the sessions from before have ended: a running server sees to it, or run this again.")
		}
		select {
		case <-ctx.Done():
			return p.interrupted(ctx, cmd, ctx.Err())
		case <-time.After(followEvery):
		}
	}
}

func (p *program) interrupted(ctx context.Context, cmd *cli.Command, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted; running servers go on, or run %s keys rotate again", cmd.Root().Name)
	}
	return fmt.Errorf("the rotation stands still, nothing is lost, run it again: %w", err)
}

// explainVault says how keys are rotated where Latchkey cannot write.
func (p *program) explainVault(cmd *cli.Command, source rotation.Source, err error) error {
	name := cmd.Root().Name
	_, failed := fmt.Fprintf(p.stdout, `The %[2]s is not Latchkey's to write. Rotate the keys there, three times the same:
1. Write what "%[1]s keys rotate --print" prints (it holds keys) to where the keys come from.
2. Have every server read it: SIGHUP, or a restart where the keys are a variable.
3. See "%[1]s keys status". Once it says that the key set is to be changed, begin again at 1.
The first time adds keys, the second uses them, the third removes the old sealing key; a fourth, a week later, the old session key.
`, name, source.Name)
	if failed != nil {
		return failed
	}
	return fmt.Errorf("nothing was changed: %w", err)
}

// printKeys writes the key set that comes next, which is as secret as the one of now.
func (p *program) printKeys(ctx context.Context, r *rotation.Rotation, source rotation.Source, anew bool) error {
	content, err := source.Read(ctx)
	if err != nil {
		return err
	}
	change, err := r.Next(ctx, anew)
	if err != nil {
		return err
	}
	next, err := secrets.ChangeKeys(content, change)
	if err != nil {
		return err
	}
	if bytes.Equal(next, content) {
		return errors.New("the keys changed meanwhile, run this again")
	}
	_, err = p.stdout.Write(next)
	return err
}

func (p *program) keysStatus(ctx context.Context, cmd *cli.Command) error {
	return p.withRotation(ctx, cmd, func(db *store.Store, keys *secrets.Keys, r *rotation.Rotation, source rotation.Source) error {
		progress, err := r.Status(ctx)
		if err != nil {
			return err
		}
		nodes, err := db.KeyNodes(ctx)
		if err != nil {
			return err
		}
		names := keys.Names()
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		row := func(name, value string) { _, _ = fmt.Fprintf(table, "%s\t%s\n", name, value) } // Flush reports what failed
		row("Keys from", source.Name)
		row("Seals", names.Sealing)
		row("Opens", strings.Join(names.Seal, " "))
		row("Signs", names.Sessions[0])
		row("Verifies", strings.Join(names.Sessions, " "))
		row("Rotation", string(progress.Phase))
		if progress.Waits != "" {
			row("Waits for", progress.Waits)
		}
		for _, node := range nodes {
			row("Server", fmt.Sprintf("%s: seals %s, opens %s, heard of %s ago", node.Name, node.Sealing, node.Seal, clockMillis().Sub(node.SeenAt).Round(time.Second)))
		}
		return table.Flush()
	})
}

func (p *program) keysNew(_ context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	content, err := secrets.NewKeySet()
	if err == nil {
		_, err = p.stdout.Write(content)
	}
	return err
}
