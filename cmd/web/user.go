package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

func (p *program) userCommand() *cli.Command {
	email := &cli.StringFlag{Name: "email", Usage: "email address, by which the person signs in"}
	password := &cli.BoolFlag{Name: "password-stdin", Usage: "read the password from standard input"}
	return &cli.Command{
		Name: "user", Usage: "add people, set their passwords and remove their second factors",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return usagef("say what to do: %[1]s user add, %[1]s user passwd or %[1]s user reset-second-factor", cmd.Root().Name)
		},
		Commands: []*cli.Command{
			{
				Name: "add", Usage: "add a person to a team, which is made where it does not exist", Action: p.userAdd,
				Flags: []cli.Flag{
					email, password,
					&cli.StringFlag{Name: "name", Usage: "the person's name"},
					&cli.StringFlag{Name: "team", Usage: "name of the team"},
					&cli.StringFlag{Name: "role", Usage: "owner, developer or viewer (default: owner of a new team, else developer)"},
					&cli.BoolFlag{Name: "operator", Usage: "may run this installation"},
				},
			},
			{
				Name: "passwd", Usage: "set a person's password and end their sessions", Action: p.userPasswd,
				Flags: []cli.Flag{email, password},
			},
			{
				Name: "reset-second-factor", Usage: "remove a person's authenticator app, passkeys and recovery codes, and end their sessions", Action: p.userResetSecondFactor,
				Flags: []cli.Flag{email},
			},
		},
	}
}

func (p *program) userAdd(ctx context.Context, cmd *cli.Command) error {
	config, err := p.userConfig(cmd)
	if err != nil {
		return err
	}
	role := models.Role(cmd.String("role"))
	if role != "" && !slices.Contains(models.Roles, role) {
		return usagef("--role: write owner, developer or viewer")
	}
	password, err := p.readPassword()
	if err != nil {
		return err
	}
	typed := models.AccountInput{Name: cmd.String("name"), Email: cmd.String("email"), Team: cmd.String("team"), Password: password}
	input, err := typed.Validate()
	if err != nil {
		return flagErrors(err)
	}
	if problem := secrets.CheckPassword(password, input.Name, input.Email, input.Team); problem != "" {
		return usagef("password: %s", problem)
	}
	return p.withNewStore(ctx, config, func(db *store.Store) error {
		hash, err := secrets.NewPasswords(1).Hash(ctx, password)
		if err != nil {
			return err
		}
		_, err = db.AddUser(ctx, models.CommandLine, store.Account{
			Name: input.Name, Email: input.Email, PasswordHash: hash, Team: input.Team, Role: role, Operator: cmd.Bool("operator"),
		})
		if err != nil {
			return refusedFields(err)
		}
		return p.print("Added " + input.Email + " to " + input.Team + ".")
	})
}

func (p *program) userPasswd(ctx context.Context, cmd *cli.Command) error {
	config, err := p.userConfig(cmd)
	if err != nil {
		return err
	}
	email, problem := models.ParseEmail(cmd.String("email"))
	if problem != "" {
		return usagef("--email: %s", problem)
	}
	password, err := p.readPassword()
	if err != nil {
		return err
	}
	if problem := secrets.CheckPassword(password, email); problem != "" {
		return usagef("password: %s", problem)
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		hash, err := secrets.NewPasswords(1).Hash(ctx, password)
		if err != nil {
			return err
		}
		err = db.SetPassword(ctx, models.CommandLine, email, hash)
		if errors.Is(err, models.ErrNotFound) {
			return fmt.Errorf("there is no account with the email %s", email)
		}
		if err != nil {
			return err
		}
		return p.print("The password of " + email + " was set and their sessions were ended.")
	})
}

func (p *program) userConfig(cmd *cli.Command) (Config, error) {
	if err := noArguments(cmd); err != nil {
		return Config{}, err
	}
	if !cmd.Bool("password-stdin") {
		return Config{}, usagef("add --password-stdin and pass the password on standard input: it must not stand in the list of processes")
	}
	return readConfig(cmd)
}

// readPassword reads all of standard input but the line's end.
func (p *program) readPassword() (models.Secret, error) {
	text, err := io.ReadAll(io.LimitReader(p.stdin, 2*models.MaxPasswordBytes))
	if err != nil {
		return models.Secret{}, fmt.Errorf("reading the password: %w", err)
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	return models.NewSecret(line), nil
}

// withStore is for what only makes sense where there is a database.
func (p *program) withStore(ctx context.Context, config Config, do func(db *store.Store) error) error {
	if err := databaseThere(ctx, config); err != nil {
		return err
	}
	return p.withNewStore(ctx, config, do)
}

// withNewStore makes the database where there is none.
func (p *program) withNewStore(ctx context.Context, config Config, do func(db *store.Store) error) error {
	exists, err := hasDatabase(ctx, config)
	if err != nil {
		return err
	}
	if !exists {
		_, _ = fmt.Fprintf(p.stderr, "There is no database %s yet: a new one is made.\n", config.Database) // nowhere is left to report that
	}
	db, _, err := open(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

// refusedFields says why something well-formed could not be added.
func refusedFields(err error) error {
	var usage usageError
	if errors.As(flagErrors(err), &usage) {
		return errors.New(usage.Error())
	}
	return err
}

// flagErrors turns errors beside fields into lines that name the flags.
func flagErrors(err error) error {
	var fields models.FieldErrors
	if !errors.As(err, &fields) {
		return err
	}
	var lines []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		flag := "--" + field
		if field == "password" {
			flag = "password"
		}
		lines = append(lines, flag+": "+fields[field])
	}
	return usageError{lines: lines}
}
