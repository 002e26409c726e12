// Package pgtest gives tests PostgreSQL databases of their own, on the server that
// LATCHKEY_TEST_POSTGRES names or on one that it starts.
package pgtest

import (
	"context"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// patience is how long the server may take for one step on a busy machine.
const patience = time.Minute

// Database makes a database of the test's own and returns its URL; it ends with the test.
// It is a copy of one that migrate has brought up to date, once for each server and content
// of files, which are all that migrate applies.
func Database(t testing.TB, files fs.FS, migrate func(ctx context.Context, url string) error) string {
	t.Helper()
	server := Server(t)
	template, err := templateOf(server, files, migrate)
	if err != nil {
		t.Fatalf("migrating a database for tests: %v", err)
	}
	// Without fsync a copy of files with its checkpoints is quicker than one through the log.
	return create(t, server, " TEMPLATE "+template+" STRATEGY FILE_COPY")
}

// Empty makes a database without tables and returns its URL; it ends with the test.
func Empty(t testing.TB) string {
	t.Helper()
	return create(t, Server(t), "")
}

func create(t testing.TB, server, how string) string {
	t.Helper()
	name := "latchkey_test_" + uuid.New().String()[:8]
	if err := run(t.Context(), server, `CREATE DATABASE "`+name+`"`+how); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run(context.Background(), server, `DROP DATABASE "`+name+`" WITH (FORCE)`); err != nil {
			t.Errorf("removing the database of a test: %v", err)
		}
	})
	return named(server, name)
}

// CutOff ends all connections to a database of a test, and lets in no others until what it
// returns is called.
func CutOff(t testing.TB, database string) (back func()) {
	t.Helper()
	parsed, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(parsed.Path, "/")
	all := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if err := run(t.Context(), Server(t), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	all(`ALTER DATABASE "`+name+`" ALLOW_CONNECTIONS false`, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '"+name+"'")
	return func() {
		t.Helper()
		all(`ALTER DATABASE "` + name + `" ALLOW_CONNECTIONS true`)
	}
}

// templates are those that this process has found or made.
var templates struct {
	sync.Mutex
	made map[string]bool
}

func templateOf(server string, files fs.FS, migrate func(ctx context.Context, url string) error) (string, error) {
	name, err := templateName(files)
	if err != nil {
		return "", err
	}
	templates.Lock()
	defer templates.Unlock()
	if templates.made[server+name] {
		return name, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := makeTemplate(ctx, server, name, migrate); err != nil {
		return "", err
	}
	if templates.made == nil {
		templates.made = map[string]bool{}
	}
	templates.made[server+name] = true
	return name, nil
}

// makeTemplate makes a template unless the server has it. Whoever finds one under its last
// name finds it whole; other processes wait at the lock.
func makeTemplate(ctx context.Context, server, name string, migrate func(ctx context.Context, url string) error) error {
	db, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	if _, err := db.Exec(ctx, "SELECT pg_advisory_lock(hashtext($1))", name); err != nil {
		return err
	}
	var found bool
	if err := db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&found); err != nil || found {
		return err
	}
	begun := name + "_begun"
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + begun + " WITH (FORCE)", "CREATE DATABASE " + begun} {
		if _, err := db.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := migrate(ctx, named(server, begun)); err != nil {
		return err
	}
	// A connection that a pool is still closing would be in the way of the new name and of copies.
	for _, statement := range []string{
		"ALTER DATABASE " + begun + " ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '" + begun + "'",
		"ALTER DATABASE " + begun + " RENAME TO " + name,
	} {
		if _, err := db.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// templateName tells contents of files apart.
func templateName(files fs.FS) (string, error) {
	sum := fnv.New64a()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(sum, "%s\n%d\n%s", name, len(text), text)
		return err
	})
	return fmt.Sprintf("latchkey_template_%016x", sum.Sum64()), err
}

// run runs one statement on a connection of its own, as CREATE and DROP DATABASE want it.
func run(ctx context.Context, server, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	db, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	if _, err := db.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// named is the URL of another database of a server, whose URL Server has parsed.
func named(server, database string) string {
	parsed, err := url.Parse(server)
	if err != nil {
		return server
	}
	parsed.Path = "/" + database
	return parsed.String()
}

// Chosen tells whether tests that do for any database are to use PostgreSQL:
// LATCHKEY_TEST_DATABASE is postgres then. make test runs them both ways.
func Chosen() bool { return os.Getenv("LATCHKEY_TEST_DATABASE") == "postgres" }
