package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options is what the command line says.
type options struct {
	rounds, seconds int
	connections     []int
	rows            int64
	only            []string
	write, dir      string
	// postgres is the address of a server; empty for SQLite.
	postgres string
}

func parseOptions(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&o.rounds, "rounds", 5, "rounds of each row; bare echo is measured before each")
	flags.IntVar(&o.seconds, "seconds", 2, "seconds of each measurement")
	flags.Int64Var(&o.rows, "rows", 5_000_000, "token rows of the big database")
	connections := flags.String("connections", "1,16,64", "numbers of connections")
	only := flags.String("only", "", "rows to measure, comma separated, of "+strings.Join(keys(), ", ")+"; rows and purge stand for all of theirs")
	quick := flags.Bool("quick", false, "two rounds of one second and 300,000 rows, where nothing else is said")
	flags.StringVar(&o.write, "write", "", "also write the tables into this file, between its two markers")
	flags.StringVar(&o.dir, "dir", "", "folder on a real disk for the data (default: the temporary folder, else /var/tmp)")
	flags.StringVar(&o.postgres, "postgres", "", "measure on PostgreSQL: address of a server, as a user that may create databases; verify, introspect and token alone")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if *quick {
		o.beQuick(flags)
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for text := range strings.SplitSeq(*connections, ",") {
		number, err := strconv.Atoi(text)
		if err != nil {
			return o, fmt.Errorf("-connections: %q is no number", text)
		}
		o.connections = append(o.connections, number)
	}
	return o, o.check(flags.Args())
}

func (o *options) beQuick(flags *flag.FlagSet) {
	said := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { said[f.Name] = true })
	if !said["rounds"] {
		o.rounds = 2
	}
	if !said["seconds"] {
		o.seconds = 1
	}
	if !said["rows"] {
		o.rows = 300_000
	}
}

func (o *options) check(rest []string) error {
	for _, name := range o.only {
		if !slices.Contains(append(keys(), stageRows, stagePurge), name) {
			return fmt.Errorf("-only: there is no row %q", name)
		}
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is no flag", rest[0])
	case o.rounds < 1 || o.seconds < 1 || slices.Min(o.connections) < 1:
		return fmt.Errorf("-rounds, -seconds and -connections begin at 1")
	case o.rows < 100_000:
		return fmt.Errorf("-rows begins at 100,000")
	}
	return nil
}

// wants tells whether a row is to be measured.
func (o *options) wants(stage, endpoint string) bool {
	return len(o.only) == 0 || slices.Contains(o.only, keyOf(stage, endpoint)) || stage != "" && slices.Contains(o.only, stage)
}

// now is the clock of all that is measured here.
func now() time.Time { return time.Now() } //nolint:forbidigo // a benchmark measures time
