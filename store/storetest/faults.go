package storetest

import (
	"os"
	"testing"

	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// Fail has the database refuse a deed (INSERT, UPDATE or DELETE) to the rows of a table for
// which a condition on NEW or OLD holds; without one, to all.
func (db *DB) Fail(t testing.TB, deed, table, condition string) {
	t.Helper()
	if condition == "" {
		condition = "1 = 1"
	}
	statements := []string{"CREATE TRIGGER fault BEFORE " + deed + " ON " + table + " WHEN " + condition + " BEGIN SELECT RAISE(ABORT, 'fault'); END"}
	if db.OnPostgres() {
		statements = []string{
			"CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF " + condition + ` THEN RAISE EXCEPTION 'fault'; END IF;
				IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END; $$`,
			"CREATE TRIGGER fault BEFORE " + deed + " ON " + table + " FOR EACH ROW EXECUTE FUNCTION fault()",
		}
	}
	db.exec(t, statements...)
}

// Mend ends what Fail began.
func (db *DB) Mend(t testing.TB) {
	t.Helper()
	if db.OnPostgres() {
		db.exec(t, "DROP FUNCTION fault() CASCADE")
		return
	}
	db.exec(t, "DROP TRIGGER fault")
}

func (db *DB) exec(t testing.TB, statements ...string) {
	t.Helper()
	raw, done := db.open(t)
	defer done()
	for _, statement := range statements {
		if _, err := raw.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Break damages the file, or cuts the database off from everybody.
func (db *DB) Break(t testing.TB) {
	t.Helper()
	if db.OnPostgres() {
		pgtest.CutOff(t, db.Path)
		return
	}
	for _, file := range []string{db.Path, db.Path + "-wal"} {
		if err := os.Truncate(file, 100); err != nil {
			t.Fatal(err)
		}
	}
}

// Away moves the file away, or cuts the database off, until what it returns is called.
func (db *DB) Away(t testing.TB) (back func()) {
	t.Helper()
	if db.OnPostgres() {
		return pgtest.CutOff(t, db.Path)
	}
	if err := os.Rename(db.Path, db.Path+".away"); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := os.Rename(db.Path+".away", db.Path); err != nil {
			t.Fatal(err)
		}
	}
}

// Announce tells stores on PostgreSQL to forget what they remember, as whoever changes rows
// by hand has to. Of a file they see it.
func (db *DB) Announce(t testing.TB) {
	t.Helper()
	if db.OnPostgres() {
		db.exec(t, "NOTIFY latchkey_changes")
	}
}
