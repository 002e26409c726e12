package main

import (
	"database/sql"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseWrk(t *testing.T) {
	const good = "Running 1s test\n  10 requests in 1.00s\n\nresult {\"requests\":10,\"duration\":1000000,\"bytes\":90,\"errors\":0,\"p50\":120,\"p99\":3350}\n"
	got, err := parseWrk(good)
	if want := (count{Requests: 10, Duration: 1_000_000, Bytes: 90, P50: 120, P99: 3350}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for what, bad := range map[string]string{
		"no result":      "Running 1s test\n",
		"an error":       strings.Replace(good, `"errors":0`, `"errors":1`, 1),
		"no request":     strings.Replace(good, `"requests":10`, `"requests":0`, 1),
		"not 2xx":        "  Non-2xx or 3xx responses: 3\n" + good,
		"socket errors":  "  Socket errors: connect 0, read 1, write 0, timeout 0\n" + good,
		"not what it is": "result {x}\n",
	} {
		if _, err := parseWrk(bad); err == nil {
			t.Errorf("%s: taken as good", what)
		}
	}
}

func TestBetweenMarkers(t *testing.T) {
	const block = beginMarker + "\ntable\n" + endMarker
	for _, c := range [][2]string{
		{"", "# Benchmarks\n\n" + block + "\n"},
		{"text\n", "text\n\n" + block + "\n"},
		{"before\n" + beginMarker + "\nold\n" + endMarker + "\nafter\n", "before\n" + block + "\nafter\n"},
	} {
		if got := betweenMarkers(c[0], "table\n"); got != c[1] {
			t.Errorf("%q becomes %q, want %q", c[0], got, c[1])
		}
	}
}

func TestFigures(t *testing.T) {
	if median([]float64{3, 1, 2}) != 2 || median([]float64{4, 1, 2, 3}) != 2.5 || median(nil) != 0 {
		t.Error("median")
	}
	if thousands(7) != "7" || thousands(1000) != "1,000" || thousands(5_000_000) != "5,000,000" {
		t.Error("thousands")
	}
	lab := &lab{results: []result{
		{key: "token", connections: 64, rounds: []round{{bare: measured{rate: 100}, own: measured{rate: 20}}}},
		{key: "token-rows", connections: 64, rounds: []round{{bare: measured{rate: 100}, own: measured{rate: 10}}}},
	}}
	if got := lab.part("", "token", 0.15, 0.22); got.verdict(got.least) != "0.150: met" || got.verdict(got.aim) != "0.220: **not met**" {
		t.Errorf("%s, %s", got.verdict(got.least), got.verdict(got.aim))
	}
	if got := lab.against("", "token-rows", "token", 0.8); got.text() != "0.500" {
		t.Errorf("half as fast: %s", got.text())
	}
	if got := lab.part("", "verify", 0.5, 0); got.text() != "not measured" || got.verdict(0.5) != "0.500" {
		t.Errorf("a row that is not there: %s, %s", got.text(), got.verdict(0.5))
	}
}

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"-quick", "-rounds", "4", "-only", "verify,rows"}, io.Discard)
	if err != nil || o.rounds != 4 || o.seconds != 1 || !slices.Equal(o.connections, []int{1, 16, 64}) {
		t.Errorf("%+v, %v", o, err)
	}
	if !o.wants("", "verify") || !o.wants(stageRows, "token") || o.wants("", "token") || o.wants(stagePurge, "verify") {
		t.Error("-only chooses other rows")
	}
	for _, bad := range [][]string{{"-only", "nothing"}, {"-rounds", "0"}, {"-connections", "x"}, {"more"}} {
		if _, err := parseOptions(bad, io.Discard); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestInsertInto(t *testing.T) {
	db, err := sql.Open("sqlite3", filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	insert := func(table string) error {
		statement, err := insertInto(t.Context(), db, table, map[string]string{"id": "i", "gone": "1", "at": "at"})
		if err != nil {
			return err
		}
		_, err = db.ExecContext(t.Context(), statement, sql.Named("first", 1), sql.Named("last", 3), sql.Named("since", 100), sql.Named("step", 10))
		return err
	}
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE good (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, later INTEGER NOT NULL DEFAULT 7);
		CREATE TABLE bad (id INTEGER PRIMARY KEY, later INTEGER NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	if err := insert("good"); err != nil {
		t.Error(err)
	}
	var rows, at, later int
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*), MAX(at), MIN(later) FROM good").Scan(&rows, &at, &later); err != nil || rows != 3 || at != 130 || later != 7 {
		t.Errorf("%d rows, at %d, later %d, %v", rows, at, later, err)
	}
	if err := insert("bad"); err == nil || !strings.Contains(err.Error(), "column later") {
		t.Errorf("a column that nobody fills: %v", err)
	}
}
