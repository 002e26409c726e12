package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"
)

func (p *program) healthCommand() *cli.Command {
	return &cli.Command{Name: "health", Usage: "ask the server on this machine whether it serves, for the health check of a container", Action: p.health}
}

func (p *program) health(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	got, err := ask(ctx, "http://"+dialable(config.Addr), "")
	switch {
	case err != nil:
		return fmt.Errorf("nothing serves at %s: %s", config.Addr, why(err))
	case got.issuer != config.BaseURL && !got.wantsTLS:
		return errors.New("what answers at " + config.Addr + " is not the Latchkey of " + config.BaseURL)
	}
	return p.print("Latchkey serves at " + config.Addr + ".")
}
