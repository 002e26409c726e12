package main

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
)

// makeDatabase makes one of this run's own on the server that -postgres names, and has it
// removed at the end.
func (l *lab) makeDatabase(ctx context.Context) error {
	if l.postgres == "" {
		return nil
	}
	name := fmt.Sprint("latchkey_bench_", os.Getpid())
	address, err := url.Parse(l.postgres)
	if err != nil {
		return fmt.Errorf("-postgres: write an address such as postgres://user:password@host/postgres")
	}
	if err := l.onServer(ctx, "CREATE DATABASE "+name); err != nil {
		return fmt.Errorf("making a database: %w", err)
	}
	l.dropDatabase = func() error {
		return l.onServer(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)")
	}
	address.Path = "/" + name
	l.address = address.String()
	return nil
}

func (l *lab) onServer(ctx context.Context, statement string) error {
	db, err := pgx.Connect(ctx, l.postgres)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(ctx) }() // nothing is left to lose
	_, err = db.Exec(ctx, statement)
	return err
}
