package storetest

import "testing"

// Lock keeps everybody from writing, not from reading, until what it returns is called.
func (db *DB) Lock(t testing.TB) (release func()) {
	t.Helper()
	conn, done := db.connection(t)
	t.Cleanup(done)
	statements := []string{"BEGIN IMMEDIATE"}
	if db.OnPostgres() {
		statements = []string{"BEGIN", `DO $$ DECLARE name TEXT; BEGIN
			FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
				EXECUTE format('LOCK TABLE %I IN EXCLUSIVE MODE', name);
			END LOOP; END $$`}
	}
	for _, statement := range statements {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
	}
}
