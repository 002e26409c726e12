package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

const (
	// writers is how many changes of this process run at once, besides tokens issued.
	writers = 8
	// pgReaders and pgWriters are how many connections there are at most; besides these
	// there is the one that listens.
	pgReaders = 16
	pgWriters = writers + 4
	// connectFor is how long the server may take to let a connection in.
	connectFor = 5 * time.Second
	// transactFor is how long a change may take with all that it runs again.
	transactFor = 10 * time.Second
	// betweenRuns is the pause between two runs of a change.
	betweenRuns = 2 * time.Millisecond
)

// sessionLimits let the server give up what a process holds that has stopped, or is cut
// off, in the middle of a transaction.
var sessionLimits = map[string]string{
	"application_name":                    "latchkey",
	"idle_in_transaction_session_timeout": "3s",
	"lock_timeout":                        "5s",
	"client_connection_check_interval":    "2s",
	"tcp_keepalives_idle":                 "5",
	"tcp_keepalives_interval":             "2",
	"tcp_keepalives_count":                "3",
}

// postgresEngine is the engine of a server. Any number of processes may use one database.
type postgresEngine struct {
	reads, writes *gorm.DB
	feed          *pgFeed
	direct        *pgx.ConnConfig
	// repeating is held by the change that runs again.
	repeating chan struct{}
	// texts are queries by how they were written, with numbered parameters.
	texts sync.Map
	node  nodeName
}

func (s *Store) openPostgres(address string, options Options) error {
	config, direct, err := pgConfigs(address, options.Direct)
	if err != nil {
		return err
	}
	p := &postgresEngine{direct: direct, repeating: make(chan struct{}, 1)}
	p.node.renew()
	for _, handle := range []struct {
		db  **gorm.DB
		max int
	}{{&p.reads, pgReaders}, {&p.writes, pgWriters}} {
		db := sql.OpenDB(storing{stdlib.GetConnector(*config)})
		db.SetMaxOpenConns(handle.max)
		db.SetMaxIdleConns(handle.max)
		db.SetConnMaxIdleTime(5 * time.Minute)
		db.SetConnMaxLifetime(time.Hour)
		if *handle.db, err = gorm.Open(postgres.New(postgres.Config{Conn: db}), gormConfig(false)); err != nil {
			return fmt.Errorf("opening the database: %w", translate(err))
		}
	}
	s.reads, s.writes, s.turn, s.sql, s.engine = p.reads, p.writes, make(chan struct{}, writers), onPostgres, p
	p.feed = newPgFeed(direct, &p.node, s.hearForeign, p.disconnect)
	return nil
}

// pgConfigs are how to connect, and how to where no pooler stands between.
func pgConfigs(address, directly string) (config, direct *pgx.ConnConfig, err error) {
	if config, err = pgConfig(address); err != nil {
		return nil, nil, err
	}
	pooled, place, err := settle(config)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the database: %w", translate(err))
	}
	if directly == "" {
		if pooled {
			return nil, nil, errPooled
		}
		return config, config.Copy(), nil
	}
	if direct, err = pgConfig(directly); err != nil {
		return nil, nil, err
	}
	pooled, directPlace, err := settle(direct)
	switch {
	case err == nil && pooled:
		err = errPooled
	case err == nil && directPlace != place:
		err = errApart
	}
	if err != nil {
		return nil, nil, fmt.Errorf("opening the database directly: %w", translate(err))
	}
	return config, direct, nil
}

func pgConfig(address string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, errAddress // the driver's words may hold the password
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectFor
	}
	config.DialFunc = pgDialer().DialContext
	if config.ValidateConnect == nil {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary // what was revoked is good on a standby
	}
	for name, value := range sessionLimits {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	return config, nil
}

// settle connects once, and agrees with what stands in between: a pooler that lends a
// connection for one transaction takes no settings for a session, and lets nothing
// prepared be found again. By the process ID one is known that says nothing. place tells
// databases apart.
func settle(config *pgx.ConnConfig) (pooled bool, place string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*connectFor)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "08P01" {
		pooled = true
		for name := range sessionLimits {
			delete(config.RuntimeParams, name)
		}
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		conn, err = pgx.ConnectConfig(ctx, config)
	}
	if err != nil {
		return pooled, "", err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is left to lose
	var pid uint32
	const ask = "SELECT pg_backend_pid(), (SELECT CAST(oid AS TEXT) FROM pg_database WHERE datname = current_database()) || ' ' || EXTRACT(EPOCH FROM pg_postmaster_start_time())"
	if err := conn.QueryRow(ctx, ask).Scan(&pid, &place); err != nil {
		return pooled, "", err
	}
	if pid != conn.PgConn().PID() {
		pooled = true
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return pooled, place, nil
}

// errApart keeps a node from listening where nobody speaks.
var errApart = errors.New("LATCHKEY_DATABASE_DIRECT leads to another database than LATCHKEY_DATABASE, or to another server: set both to the same one")

// available leaves it to each query: the driver knows.
func (p *postgresEngine) available() error { return nil }

func (p *postgresEngine) present() error { return nil }

func (p *postgresEngine) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	db, err := p.reads.DB()
	if err != nil {
		return nil, err
	}
	return db.QueryContext(ctx, p.numbered(text), args...)
}

func (p *postgresEngine) numbered(text string) string {
	known, _ := p.texts.Load(text)
	if numbered, ok := known.(string); ok {
		return numbered
	}
	numbered := onPostgres.numbered(text)
	p.texts.Store(text, numbered)
	return numbered
}

// transact runs fn again where another transaction was in the way. Serializable: what fn
// reads is still so when it writes, whatever other nodes do.
func (p *postgresEngine) transact(ctx context.Context, fn func(tx *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, transactFor)
	defer cancel()
	committing := false
	run := func(tx *gorm.DB) error {
		err := fn(tx)
		committing = err == nil
		return err
	}
	err := p.inLine(ctx, func() error {
		committing = false
		return p.writes.WithContext(ctx).Transaction(run, &sql.TxOptions{Isolation: sql.LevelSerializable})
	})
	if err != nil && committing {
		p.node.renew() // the server may yet commit it
	}
	return err
}

func (p *postgresEngine) add(ctx context.Context, fn func(tx *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, transactFor)
	defer cancel()
	return again(ctx, func() error { return p.writes.WithContext(ctx).Transaction(fn) })
}

// inLine repeats what the server has undone. Of changes that are in each other's way the
// server takes any; so that none is never taken, one of each node runs again at a time, in
// the order in which they came, and new ones stand in line behind it.
func (p *postgresEngine) inLine(ctx context.Context, do func() error) error {
	if len(p.repeating) == 0 {
		err := do()
		if !undone(err) && !errors.Is(err, gorm.ErrDuplicatedKey) {
			return err
		}
	}
	select {
	case p.repeating <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", models.ErrBusy, ctx.Err())
	}
	defer func() { <-p.repeating }()
	return again(ctx, do)
}

// again repeats what the server has undone until ctx ends. A key that is there already is
// met twice before it counts: the other transaction may have come first without being seen,
// and what do finds the second time is the better answer.
func again(ctx context.Context, do func() error) error {
	duplicated := false
	for {
		err := do()
		first := errors.Is(err, gorm.ErrDuplicatedKey) && !duplicated
		if !undone(err) && !first {
			return err
		}
		duplicated = duplicated || first
		select {
		case <-time.After(betweenRuns):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", models.ErrBusy, err)
		}
	}
}

// undone tells that a transaction came to nothing because of another one. Of two that add
// the next event to a chain, one finds the number taken.
func undone(err error) bool {
	var failed *pgconn.PgError
	if !errors.As(err, &failed) {
		return false
	}
	return stale(err) || slices.Contains(undoneCodes, failed.Code) || failed.ConstraintName == "audit_events_by_number" || failed.ConstraintName == "audit_chains_pkey"
}

// undoneCodes are: no order with others, a deadlock, and that this process stood still in the
// middle for longer than it may.
var undoneCodes = []string{"40001", "40P01", "25P03"}

const pgInsertTokens = `INSERT INTO tokens (id, application_id, team_id, kind, hash, last4, scopes, epoch, created_at, expires_at)
	SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[])`

// insertTokens is one statement for any number of rows.
func (p *postgresEngine) insertTokens(ctx context.Context, tokens []models.Token) error {
	db, err := p.writes.DB()
	if err != nil {
		return err
	}
	n := len(tokens)
	texts, numbers, hashes := [6][]string{}, [3][]int64{}, make([][]byte, 0, n)
	for i := range texts {
		texts[i] = make([]string, 0, n)
	}
	for _, t := range tokens {
		for i, value := range [...]string{t.ID, t.ApplicationID, t.TeamID, string(t.Kind), t.Last4, t.Scopes} {
			texts[i] = append(texts[i], value)
		}
		for i, value := range [...]int64{t.Epoch, int64(t.CreatedAt), int64(t.ExpiresAt)} {
			numbers[i] = append(numbers[i], value)
		}
		hashes = append(hashes, t.Hash)
	}
	ctx, cancel := context.WithTimeout(ctx, transactFor)
	defer cancel()
	return again(ctx, func() error {
		_, err := db.ExecContext(ctx, pgInsertTokens, texts[0], texts[1], texts[2], texts[3], hashes, texts[4], texts[5], numbers[0], numbers[1], numbers[2])
		return err
	})
}

func (p *postgresEngine) committed() {}

// disconnect lets go of the connections that nobody uses. When the one that listens is
// lost, they are as well, and each would be found out by a request that waits for it.
func (p *postgresEngine) disconnect() {
	for _, handle := range []struct {
		db  *gorm.DB
		max int
	}{{p.reads, pgReaders}, {p.writes, pgWriters}} {
		if db, err := handle.db.DB(); err == nil {
			db.SetMaxIdleConns(0)
			db.SetMaxIdleConns(handle.max)
		}
	}
}

// shrink has nothing to do where there is a server: it keeps free space for what comes,
// and its autovacuum looks after it.
func (p *postgresEngine) shrink(ctx context.Context) (bool, error) {
	db, err := p.reads.DB()
	if err != nil {
		return false, err
	}
	return true, translate(db.PingContext(ctx))
}

func (p *postgresEngine) space(ctx context.Context) (Space, error) {
	space := Space{PageSize: 1}
	err := p.reads.WithContext(ctx).Raw("SELECT pg_database_size(current_database())").Scan(&space.Pages).Error
	return space, translate(err)
}

// migrationLock is the advisory lock of whoever migrates.
const migrationLock = 0x6c617463686b6579 // "latchkey"

// migrating waits for its turn on a connection of its own, which is its owner while it lives.
func (p *postgresEngine) migrating(ctx context.Context, fn func(db *sql.DB) error) error {
	db := stdlib.OpenDB(*p.direct)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SET lock_timeout = 0"); err != nil {
		return translate(err)
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return translate(err)
	}
	defer func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock))
	}()
	return fn(db)
}

func (p *postgresEngine) close() error {
	p.feed.close()
	return errors.Join(closeHandle(p.reads), closeHandle(p.writes))
}
