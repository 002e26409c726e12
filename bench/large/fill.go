package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

const (
	teams = 200
	// bigApplications are of the big team, otherApplications of all the others together.
	bigApplications, otherApplications = 2_000, 8_000
	leastRows                          = 20_000
)

// dialect is what differs between the two databases in what is put in. In its expressions
// i is the number of a row and ms a time.
type dialect struct {
	series, id, hash, sealed string
	// atOnce is how many rows one statement adds.
	atOnce int64
}

var dialects = map[string]dialect{
	onSQLite: {
		series: "WITH RECURSIVE n(i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)",
		id:     "printf('%08x-%04x-7%03x-%04x-%012x', ms >> 16, ms & 65535, random() & 4095, 32768 | (random() & 16383), random() & 281474976710655)",
		hash:   "randomblob(32)", sealed: "randomblob(64)", atOnce: 500_000,
	},
	onPostgres: {
		series: "WITH n AS (SELECT i FROM generate_series($1::bigint, $2::bigint) AS i)",
		id:     "lpad(to_hex(ms >> 16), 8, '0') || '-' || lpad(to_hex(ms & 65535), 4, '0') || '-7000-8000-' || lpad(to_hex(i), 12, '0')",
		hash:   "sha256(int8send(i))", sealed: "sha256(int4send(i::int)) || sha256(int4send(i::int))", atOnce: 6_000_000,
	},
}

// fillTokens spreads tokens over the applications and over time. Of twenty, twelve are
// active, four expired within a day, two before; one was revoked within a day, one before.
// Every fiftieth is manual. The huge application has four of ten.
func fillTokens(d dialect) string {
	return d.series + `, k AS (SELECT i, CASE WHEN i % 50 = 49 THEN (i / 50) % 20 ELSE i % 20 END AS k, i % 50 = 49 AS manual,
			CASE WHEN i % 50 = 49 AND (i / 1000) % 20 = 0 OR i % 50 <> 49 AND (i / 20) % 10 < 4 THEN 0 ELSE 1 + (i * 7919) % $3 END AS app,
			$4 - 3600000000 + ((i - $1) * 2500000000) / ($2 - $1 + 1) AS ms, (i * 7919) % 86000000 AS hours, (i * 7919) % 860000000 AS days FROM n)
		INSERT INTO tokens (id, application_id, team_id, kind, name, hash, sealed, last4, scopes, epoch, created_at, created_by, expires_at, revoked_at, last_used_at)
		SELECT ` + d.id + `, s.app_id, s.team_id, CASE WHEN manual THEN 'manual' ELSE 'client_credentials' END, CASE WHEN manual THEN 'Token of a person' ELSE '' END,
			` + d.hash + `, CASE WHEN manual AND k < 12 THEN ` + d.sealed + ` END, 'Zk3Q', 'api', CASE WHEN (i / 20) % 2 = 0 THEN 0 ELSE s.epoch END,
			ms, CASE WHEN manual THEN s.user_id ELSE '' END,
			CASE WHEN k < 12 AND manual THEN $4 + 6 * days WHEN k < 12 THEN $4 + 2500000000 + days WHEN k < 16 THEN $4 - hours WHEN k < 18 THEN $4 - 86400000 - days ELSE $4 + days END,
			CASE WHEN k < 18 THEN 0 WHEN k = 18 THEN $4 - hours ELSE $4 - 86400000 - days END, ms + 60000
		FROM k JOIN bench_spread s ON s.n = k.app`
}

// people makes the teams with their applications.
func (l *lab) people(ctx context.Context) error {
	for i := range teams {
		name := fmt.Sprintf("Team %04d", i)
		user, err := l.store.AddUser(ctx, models.CommandLine, store.Account{Name: "Ana", Email: fmt.Sprintf("ana@team%d.example", i), PasswordHash: "-", Team: name})
		if err != nil {
			return err
		}
		memberships, err := l.store.Memberships(ctx, user.ID)
		if err != nil {
			return err
		}
		actor := models.Actor{UserID: user.ID, UserName: user.Name, TeamID: memberships[0].TeamID, TeamName: name, Role: models.RoleOwner, Address: "192.0.2.7"}
		if i == 0 {
			l.big = actor
		}
		if err := l.applicationsOf(ctx, i, actor); err != nil {
			return err
		}
	}
	var id string
	if err := l.raw.QueryRowContext(ctx, "SELECT app_id FROM bench_spread WHERE n = 0").Scan(&id); err != nil {
		return err
	}
	detail, err := l.store.Application(ctx, l.big.TeamID, id)
	l.huge = detail.Application
	return err
}

// applicationsOf puts a team's applications in. All tokens of one of a hundred were revoked
// at once, two hours ago.
func (l *lab) applicationsOf(ctx context.Context, team int, actor models.Actor) error {
	first, count := 0, bigApplications
	if team > 0 {
		count = otherApplications / (teams - 1)
		first = bigApplications + (team-1)*count
	}
	tx, err := l.raw.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing once it is committed
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS bench_spread (n BIGINT PRIMARY KEY, app_id TEXT NOT NULL, team_id TEXT NOT NULL, user_id TEXT NOT NULL, epoch BIGINT NOT NULL)`); err != nil {
		return err
	}
	at := l.now()
	for n := first; n < first+count; n++ {
		id, name, epoch, revoked := store.NewID(), fmt.Sprintf("Application %05d", n), 0, models.Time(0)
		if n%100 == 7 {
			epoch, revoked = 1, at-2*3600*1000
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO applications (id, team_id, type, name, name_key, client_id, lifespan, scopes, created_at, created_by, epoch, tokens_revoked_at)
			VALUES ($1, $2, 'service', $3, $4, $5, 86400, 'api', $6, $7, $8, $9)`, id, actor.TeamID, name, models.FoldName(name), store.NewID(), int64(at), actor.UserID, epoch, int64(revoked))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO bench_spread VALUES ($1, $2, $3, $4, $5)", n, id, actor.TeamID, actor.UserID, epoch); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// fill brings the table of tokens to as many rows as wanted, as fast as can be, and has
// the database look at what it holds.
func (l *lab) fill(ctx context.Context, rows int64) error {
	there, err := l.number(ctx, "SELECT COUNT(*) FROM tokens")
	if err != nil || there >= rows {
		return err
	}
	l.say("putting tokens into the database until it has %s", thousands(rows))
	fast, slow := l.fastSQLite, l.slowSQLite
	if l.name == onPostgres {
		fast, slow = l.fastPostgres, l.slowPostgres
	}
	again, err := fast(ctx, rows-there)
	if err != nil {
		return err
	}
	for left := rows - there; left > 0; left -= dialects[l.name].atOnce {
		n := min(left, dialects[l.name].atOnce)
		_, err := l.raw.ExecContext(ctx, fillTokens(dialects[l.name]), l.filled, l.filled+n-1, bigApplications+otherApplications/(teams-1)*(teams-1)-1, int64(l.now()))
		if err != nil {
			return err
		}
		l.filled += n
		l.say("%s more", thousands(n))
	}
	return slow(ctx, again)
}

func (l *lab) number(ctx context.Context, query string, args ...any) (n int64, err error) {
	return n, l.raw.QueryRowContext(ctx, query, args...).Scan(&n)
}

func (l *lab) all(ctx context.Context, statements []string) error {
	for _, statement := range statements {
		if _, err := l.raw.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// fastSQLite leaves durability out while rows are put in that can be made again.
func (l *lab) fastSQLite(ctx context.Context, _ int64) ([]string, error) {
	return nil, l.all(ctx, []string{"PRAGMA synchronous = OFF", "PRAGMA cache_size = -1000000", "PRAGMA wal_autocheckpoint = 1000"})
}

func (l *lab) slowSQLite(ctx context.Context, _ []string) error {
	return l.all(ctx, []string{"PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA cache_size = -2000", "PRAGMA synchronous = FULL"})
}

// fastPostgres takes away the two indexes with most rows, which are quicker built anew when
// most rows are new, and returns how to.
func (l *lab) fastPostgres(ctx context.Context, rows int64) ([]string, error) {
	if err := l.all(ctx, []string{"SET session_replication_role = replica"}); err != nil { // no look at foreign keys
		return nil, err
	}
	if rows < 50_000 {
		return nil, nil
	}
	found, err := l.raw.QueryContext(ctx, `SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), COALESCE(c.conname, '') FROM pg_index i
		LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid WHERE i.indexrelid IN ('tokens_hash_key'::regclass, 'tokens_unrevoked'::regclass)`)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var away, again []string
	for found.Next() {
		var name, definition, constraint string
		if err := found.Scan(&name, &definition, &constraint); err != nil {
			return nil, err
		}
		drop := "DROP INDEX " + name
		if constraint != "" {
			drop, definition = "ALTER TABLE tokens DROP CONSTRAINT "+constraint, definition+"; ALTER TABLE tokens ADD CONSTRAINT "+constraint+" UNIQUE USING INDEX "+name
		}
		away, again = append(away, drop), append(again, strings.Split(definition, "; ")...)
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		return nil, err
	}
	return again, l.all(ctx, away)
}

// slowPostgres does what autovacuum would have done by the time.
func (l *lab) slowPostgres(ctx context.Context, again []string) error {
	return l.all(ctx, append(again, "VACUUM (ANALYZE) tokens", "ANALYZE", "CHECKPOINT", "SET session_replication_role = DEFAULT"))
}
