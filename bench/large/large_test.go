package main

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// What is measured still works on today's tables, and leaves nothing behind.
func TestSmallRun(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	args := []string{"-rows", "20000", "-sqlite-rows", "20000", "-purging", "1s", "-dir", dir}
	if err := run(t.Context(), args, pgtest.Server(t), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	report := out.String()
	for _, want := range []string{
		"PostgreSQL, p50", "SQLite, p50", "| | 200 | 2,000 | 20,000 | p50 grew | |", "| verify a token, from the database | ",
		"| a step of the purge | ", "- 20,000 rows: the longest that a token waited",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"-databases oracle": "neither",
		"-rows 10":          "begin at",
		"-sqlite-rows 10":   "begin at",
		"all":               "is no flag",
		"":                  "names no PostgreSQL server",
	} {
		if _, err := parseOptions(strings.Fields(args), "", io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
	o, err := parseOptions([]string{"-databases", "sqlite"}, "", io.Discard)
	if err != nil || o.rows[onSQLite] != 5_000_000 || o.rows[onPostgres] != 20_000_000 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestWhatGrewIsSaid(t *testing.T) {
	of := func(ms ...time.Duration) []took {
		var all []took
		for _, d := range ms {
			all = append(all, took{p50: d * time.Millisecond, p99: d * time.Millisecond})
		}
		return all
	}
	for want, r := range map[string]result{
		"| a | 1.00 / 1.00 | 2.00 / 2.00 | 2.0 |  |":          {name: "a", took: of(1, 2)},
		"| b | 1.00 / 1.00 | 30 / 30 | 30.0 | **grew** |":     {name: "b", took: of(1, 30)},
		"| c | 1.00 / 1.00 | 30 / 30 | 30.0 | reads it all |": {name: "c", grows: "reads it all", took: of(1, 30)},
	} {
		if got := r.row(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := thousands(1234567) + " " + thousands(12); got != "1,234,567 12" {
		t.Error(got)
	}
}
