package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// userResetSecondFactor is for somebody who has lost all they had. Whoever runs it has
// made sure who asked.
func (p *program) userResetSecondFactor(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	email, problem := models.ParseEmail(cmd.String("email"))
	if problem != "" {
		return usagef("--email: %s", problem)
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		user, err := db.UserByEmail(ctx, email)
		if errors.Is(err, models.ErrNotFound) {
			return fmt.Errorf("there is no account with the email %s", email)
		}
		if err != nil {
			return err
		}
		if !user.SecondFactor {
			return p.print(email + " has no second factor: nothing was changed.")
		}
		if err := db.RemoveFactors(ctx, models.CommandLine, user.ID); err != nil {
			return err
		}
		return p.print("The second factors and recovery codes of " + email + " were removed and their sessions were ended. Their password alone signs them in now.")
	})
}
