package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

func (p *program) resourceServerCommand() *cli.Command {
	name := &cli.StringFlag{Name: "name", Usage: "what people call the API"}
	return &cli.Command{
		Name: "resource-server", Usage: "let APIs ask whether a token is good (introspection)",
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return usagef("say what to do: %s resource-server add, list or remove", cmd.Root().Name)
		},
		Commands: []*cli.Command{
			{Name: "add", Usage: "let an API in and print its client ID and secret, once", Action: p.resourceServerAdd, Flags: []cli.Flag{name}},
			{Name: "list", Usage: "list the APIs that may ask", Action: p.resourceServerList},
			{Name: "remove", Usage: "let an API ask no more", Action: p.resourceServerRemove, Flags: []cli.Flag{name}},
		},
	}
}

// named reads the settings and the name that add and remove take.
func named(cmd *cli.Command) (Config, string, error) {
	if err := noArguments(cmd); err != nil {
		return Config{}, "", err
	}
	name, problem := models.CheckName(cmd.String("name"))
	if problem != "" {
		return Config{}, "", usagef("--name: %s", problem)
	}
	config, err := readConfig(cmd)
	return config, name, err
}

func (p *program) resourceServerAdd(ctx context.Context, cmd *cli.Command) error {
	config, name, err := named(cmd)
	if err != nil {
		return err
	}
	return p.withNewStore(ctx, config, func(db *store.Store) error {
		secret := secrets.NewClientSecret()
		server := models.ResourceServer{ID: store.NewID(), Name: name, ClientID: uuid.NewString(), Hash: secrets.Hash(secret)}
		if err := db.AddResourceServer(ctx, models.CommandLine, server); err != nil {
			return refusedFields(err)
		}
		// The secret is nowhere else: whoever asked for it gets it here.
		return p.print("client_id=" + server.ClientID + "\nclient_secret=" + secret.Reveal())
	})
}

func (p *program) resourceServerList(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		servers, err := db.ResourceServers(ctx)
		if err != nil {
			return err
		}
		if len(servers) == 0 {
			return p.print("There is no resource server. Add one: " + cmd.Root().Name + " resource-server add --name NAME")
		}
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		_, err = fmt.Fprintln(table, "NAME\tCLIENT ID\tADDED\tLAST USED")
		for _, server := range servers {
			_, failed := fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", server.Name, server.ClientID, moment(server.CreatedAt), moment(server.LastUsedAt))
			err = errors.Join(err, failed)
		}
		return errors.Join(err, table.Flush())
	})
}

func moment(t models.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Std().UTC().Format(time.RFC3339)
}

func (p *program) resourceServerRemove(ctx context.Context, cmd *cli.Command) error {
	config, name, err := named(cmd)
	if err != nil {
		return err
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		err := db.RemoveResourceServer(ctx, models.CommandLine, name)
		if errors.Is(err, models.ErrNotFound) {
			return fmt.Errorf("there is no resource server called %s: %s resource-server list shows what there is", name, cmd.Root().Name)
		}
		if err != nil {
			return err
		}
		return p.print("Removed " + name + ". It is refused within a second.")
	})
}
