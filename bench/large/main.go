// Command large fills the table of tokens with millions of rows and measures what asks it,
// at a hundredth, a tenth and all of them, as "make bench-large".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The databases that are measured.
const (
	onPostgres = "postgres"
	onSQLite   = "sqlite"
)

// options is what the command line says.
type options struct {
	databases []string
	// rows is how many tokens there are at last, by database.
	rows    map[string]int64
	purging time.Duration
	dir     string
	// server is the address of a PostgreSQL server; a database of its own is made there.
	server string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Getenv("LATCHKEY_TEST_POSTGRES"), os.Stdout, os.Stderr) //nolint:forbidigo // as scripts/with-postgres.sh says it
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case interrupted:
		err = errors.New("interrupted")
	case err == nil:
		return
	}
	_, _ = fmt.Fprintln(os.Stderr, "bench/large: "+err.Error()) // nowhere is left to report that
	os.Exit(1)
}

func parseOptions(args []string, server string, out io.Writer) (options, error) {
	o := options{server: server}
	flags := flag.NewFlagSet("large", flag.ContinueOnError)
	flags.SetOutput(out)
	databases := flags.String("databases", onPostgres+","+onSQLite, "what to measure, comma separated")
	big := flags.Int64("rows", 20_000_000, "token rows on PostgreSQL")
	small := flags.Int64("sqlite-rows", 5_000_000, "token rows on SQLite")
	flags.DurationVar(&o.purging, "purging", 30*time.Second, "how long to purge beside tokens that are issued, at each size")
	flags.StringVar(&o.dir, "dir", "", "folder for the SQLite file (default: the temporary folder)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.databases = strings.Split(*databases, ",")
	o.rows = map[string]int64{onPostgres: *big, onSQLite: *small}
	for _, name := range o.databases {
		if _, known := o.rows[name]; !known {
			return o, fmt.Errorf("-databases: %q is neither %s nor %s", name, onPostgres, onSQLite)
		}
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("%q is no flag", flags.Arg(0))
	case *big < leastRows || *small < leastRows:
		return o, fmt.Errorf("-rows and -sqlite-rows begin at %d", leastRows)
	case slices.Contains(o.databases, onPostgres) && server == "":
		return o, errors.New("LATCHKEY_TEST_POSTGRES names no PostgreSQL server: start this by make bench-large, or by scripts/with-postgres.sh")
	}
	return o, nil
}

func run(ctx context.Context, args []string, server string, out, progress io.Writer) error {
	o, err := parseOptions(args, server, progress)
	if err != nil {
		return err
	}
	for _, name := range o.databases {
		report, err := measureDatabase(ctx, o, name, progress)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, err := io.WriteString(out, report); err != nil {
			return err
		}
	}
	return nil
}

// measureDatabase makes a database, measures it at each size and removes it.
func measureDatabase(ctx context.Context, o options, name string, progress io.Writer) (report string, err error) {
	l, err := newLab(ctx, o, name, progress)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, l.close(context.WithoutCancel(ctx))) }()
	for _, part := range []int64{100, 10, 1} {
		if err := l.size(ctx, o.rows[name]/part); err != nil {
			return "", err
		}
	}
	return l.report(), nil
}

// now is the clock of all that is measured here.
func now() time.Time { return time.Now() } //nolint:forbidigo // a benchmark measures time
