package main

import (
	"context"
	"errors"

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
