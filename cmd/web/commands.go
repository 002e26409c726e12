package main

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/urfave/cli/v3"
)

func (p *program) migrateCommand() *cli.Command {
	return &cli.Command{Name: "migrate", Usage: "bring the database up to date and stop", Action: p.migrate}
}

func (p *program) migrate(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	db, _, err := open(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(p.print("The database "+config.Database+" is up to date."), db.Close())
}

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{Name: "version", Usage: "print the version", Action: func(_ context.Context, cmd *cli.Command) error {
		if err := noArguments(cmd); err != nil {
			return err
		}
		return p.print("latchkey " + version())
	}}
}

// version is the module's version and, where the build knows it, the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(development)"
	}
	return info.Main.Version
}
