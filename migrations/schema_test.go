package migrations_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // reads the tables of PostgreSQL

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// twinTypes are the types of PostgreSQL for those of SQLite.
var twinTypes = map[string][]string{"INTEGER": {"bigint", "boolean"}, "TEXT": {"text"}, "BLOB": {"bytea"}}

// onlyPostgres is what PostgreSQL has besides, and why.
var onlyPostgres = map[string]string{
	"ledger_entries.seq": "the order of entries, which SQLite has in its rowid",
}

// ofIndexes are parts of indexes that PostgreSQL writes in another way.
var ofIndexes = strings.NewReplacer(
	"lower(name)", "name NOCASE", // case is folded by a function
	"WHERE is_default <> 0", "WHERE is_default", // a boolean is a condition
	"substrsealed, 1, 5", "an expression", // SQLite does not say which
)

// reading lists the rows of a query, with a blank between their columns.
func reading(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		words := make([]string, len(values))
		for i, value := range values {
			words[i] = value.String
		}
		all = append(all, strings.Join(words, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func keyed(lines []string) map[string]string {
	all := map[string]string{}
	for _, line := range lines {
		key, rest, _ := strings.Cut(line, " ")
		all[key] = rest
	}
	return all
}

// bothMigrated returns two empty databases with all tables.
func bothMigrated(t *testing.T) (sqlite, postgres *sql.DB) {
	t.Helper()
	sqlite, err := sql.Open("sqlite3", "file:"+filepath.Join(t.TempDir(), "latchkey.db")+"?_foreign_keys=on")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sqlite.Close() })
	postgres, err = sql.Open("pgx", pgtest.Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = postgres.Close() })
	for _, db := range []*sql.DB{sqlite, postgres} {
		if _, err := migrations.Run(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	return sqlite, postgres
}

func TestBothHaveTheSameMigrations(t *testing.T) {
	of := func(folder string) (names []string) {
		files, err := filepath.Glob(folder + "/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			names = append(names, filepath.Base(file))
		}
		return names
	}
	if lite, pg := of("sqlite"), of("postgres"); !slices.Equal(lite, pg) {
		t.Errorf("SQLite has %q\nPostgreSQL has %q", lite, pg)
	}
}

// ours are the tables of SQLite that PostgreSQL has too: audit_events_unchained holds what is
// from before there was PostgreSQL, until Migrate has chained it.
const ours = " m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name NOT IN ('goose_db_version', 'audit_events_unchained') "

// Both databases have the same tables and columns, of types that fit, with the same defaults
// and NULL in the same places.
func TestBothHaveTheSameColumns(t *testing.T) {
	sqlite, postgres := bothMigrated(t)
	lite := keyed(reading(t, sqlite, `SELECT m.name || '.' || c.name, c.type, CASE WHEN c."notnull" OR c.pk THEN 'NO' ELSE 'YES' END, c.dflt_value
		FROM sqlite_schema m, pragma_table_info(m.name) c WHERE`+ours))
	pg := keyed(reading(t, postgres, `SELECT table_name || '.' || column_name, data_type, is_nullable,
		replace(replace(replace(column_default, '::text', ''), 'false', '0'), 'true', '1')
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version'`))
	for column, is := range lite {
		kind, rest, _ := strings.Cut(is, " ")
		twin, twinRest, _ := strings.Cut(pg[column], " ")
		if !slices.Contains(twinTypes[kind], twin) || rest != twinRest {
			t.Errorf("%s is %q on SQLite and %q on PostgreSQL", column, is, pg[column])
		}
		delete(pg, column)
	}
	for column := range pg {
		if onlyPostgres[column] == "" {
			t.Errorf("only PostgreSQL has %s", column)
		}
	}
}

// Texts are compared byte by byte, as SQLite does, whatever the database's language.
func TestTextsOfPostgresAreBytes(t *testing.T) {
	_, postgres := bothMigrated(t)
	for _, column := range reading(t, postgres, `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name <> 'goose_db_version' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'`) {
		t.Errorf(`%s lacks COLLATE "C"`, column)
	}
}

// plain takes away what PostgreSQL adds to an expression.
func plain(expression string) string {
	return strings.NewReplacer("::text", "", "(", "", ")", "", "!=", "<>").Replace(strings.ReplaceAll(expression, "lower(", "lower\x00"))
}

// sqliteIndexes lists indexes as "table name unique columns WHERE condition"; those of
// constraints have no name.
func sqliteIndexes(t *testing.T, db *sql.DB) (all []string) {
	t.Helper()
	for _, line := range reading(t, db, `SELECT m.name, CASE i.origin WHEN 'c' THEN i.name ELSE i.origin END, CASE WHEN i."unique" THEN 'unique' ELSE 'any' END,
		(SELECT group_concat(COALESCE(x.name, 'an expression') || CASE x.coll WHEN 'NOCASE' THEN ' NOCASE' ELSE '' END, ',') FROM (SELECT * FROM pragma_index_xinfo(i.name) WHERE key ORDER BY seqno) x),
		CASE WHEN i.partial THEN (SELECT 'WHERE ' || substr(s.sql, instr(s.sql, 'WHERE ') + 6) FROM sqlite_schema s WHERE s.name = i.name) END
		FROM sqlite_schema m, pragma_index_list(m.name) i WHERE`+ours) {
		all = append(all, ofIndexes.Replace(strings.TrimSpace(plain(line))))
	}
	// A number as the primary key is the rowid and has no index of its own.
	return append(all, reading(t, db, `SELECT m.name, 'pk unique', c.name FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE c.type = 'INTEGER' AND c.pk = 1 AND (SELECT COUNT(*) FROM pragma_table_info(m.name) o WHERE o.pk > 0) = 1 AND `+ours)...)
}

func postgresIndexes(t *testing.T, db *sql.DB) (all []string) {
	t.Helper()
	for _, line := range reading(t, db, `SELECT t.relname, CASE WHEN i.indisprimary THEN 'pk' WHEN k.contype = 'u' THEN 'u' ELSE c.relname END,
		CASE WHEN i.indisunique THEN 'unique' ELSE 'any' END,
		(SELECT string_agg(pg_get_indexdef(i.indexrelid, n, TRUE), ',' ORDER BY n) FROM generate_series(1, i.indnkeyatts) n),
		'WHERE ' || pg_get_expr(i.indpred, i.indrelid)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace s ON s.oid = t.relnamespace
		LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
		WHERE s.nspname = 'public' AND t.relname <> 'goose_db_version'`) {
		all = append(all, ofIndexes.Replace(strings.ReplaceAll(strings.TrimSpace(plain(line)), "lower\x00name", "lower(name)")))
	}
	return all
}

func differ(t *testing.T, lite, pg []string) {
	t.Helper()
	if len(lite) == 0 {
		t.Error("nothing was read")
	}
	for _, line := range lite {
		if !slices.Contains(pg, line) {
			t.Errorf("only SQLite has %q", line)
		}
	}
	for _, line := range pg {
		if !slices.Contains(lite, line) && onlyPostgres[line] == "" {
			t.Errorf("only PostgreSQL has %q", line)
		}
	}
}

func TestBothHaveTheSameIndexes(t *testing.T) {
	sqlite, postgres := bothMigrated(t)
	differ(t, sqliteIndexes(t, sqlite), postgresIndexes(t, postgres))
}

func TestBothHaveTheSameConstraints(t *testing.T) {
	sqlite, postgres := bothMigrated(t)
	differ(t, reading(t, sqlite, `SELECT m.name, f."from", f."table", f."to" FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE`+ours),
		reading(t, postgres, `SELECT conrelid::regclass::text, (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]),
			confrelid::regclass::text, (SELECT attname FROM pg_attribute WHERE attrelid = confrelid AND attnum = confkey[1]) FROM pg_constraint WHERE contype = 'f'`))
	lite := keyed(reading(t, sqlite, `SELECT m.name, (length(m.sql) - length(replace(m.sql, 'CHECK (', ''))) / 7 FROM sqlite_schema m WHERE`+ours+`AND m.sql LIKE '%CHECK (%'`))
	pg := keyed(reading(t, postgres, "SELECT conrelid::regclass::text, COUNT(*) FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace GROUP BY 1"))
	if !maps.Equal(lite, pg) {
		t.Errorf("checks on SQLite: %v\non PostgreSQL: %v", lite, pg)
	}
}

// Ten nodes start on an empty PostgreSQL database: one makes the tables, all go on.
func TestManyNodesStartAtOnce(t *testing.T) {
	address := pgtest.Empty(t)
	var all sync.WaitGroup
	var applied, waited atomic.Int64
	for range 10 {
		all.Go(func() {
			s, err := store.Open(address, func() models.Time { return now })
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			n, err := s.Migrate(context.WithoutCancel(t.Context()), migrations.Run)
			if err != nil {
				t.Error(err)
			}
			if applied.Add(int64(n)); n == 0 {
				waited.Add(1)
			}
			if found, err := s.AnyUser(context.WithoutCancel(t.Context())); found || err != nil {
				t.Error(found, err)
			}
		})
	}
	all.Wait()
	files, err := filepath.Glob("postgres/*.sql")
	if err != nil || applied.Load() != int64(len(files)) || waited.Load() != 9 {
		t.Errorf("%d migrations were applied, %d nodes had none to apply, %v", applied.Load(), waited.Load(), err)
	}
}

// onBoth runs a test on an empty database of each kind.
func onBoth(t *testing.T, test func(t *testing.T, db *sql.DB)) {
	t.Helper()
	sqlite, postgres := bothMigrated(t)
	for name, db := range map[string]*sql.DB{"SQLite": sqlite, "PostgreSQL": postgres} {
		t.Run(name, func(t *testing.T) { test(t, db) })
	}
}

func execute(t *testing.T, db *sql.DB, format string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf(format, args...)); err != nil {
		t.Fatal(err)
	}
}
