package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
	"time"

	sqlite3 "github.com/mattn/go-sqlite3"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

func (s *Store) pragma(t *testing.T, name string) (value int) {
	t.Helper()
	if err := s.writes.Raw("PRAGMA " + name).Scan(&value).Error; err != nil {
		t.Fatal(err)
	}
	return value
}

func (s *Store) file(t *testing.T) *sqliteEngine {
	t.Helper()
	engine, ok := s.engine.(*sqliteEngine)
	if !ok {
		t.Fatal("not on a file")
	}
	return engine
}

// A request that is given up takes no connection with it, which would empty the caches
// (T6), and where one is lost, the next is like it.
func TestWriterThatIsGivenUp(t *testing.T) {
	s, _ := migrated(t)
	before, err := s.ForeignVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.touch(ctx, func(tx *gorm.DB) error {
			cancel()
			time.Sleep(time.Millisecond) // database/sql watches the context from beside
			return tx.Exec("DELETE FROM sessions").Error
		})
		if err != nil {
			t.Fatalf("a change that began: %v", err)
		}
		if err := s.touch(ctx, func(*gorm.DB) error { t.Error("it began"); return nil }); !errors.Is(err, models.ErrUnavailable) {
			t.Fatalf("a change that nobody waits for: %v", err)
		}
	}
	if after, err := s.ForeignVersion(t.Context()); after != before || err != nil {
		t.Errorf("version %d, before %d, %v", after, before, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	db, _ := s.writes.DB()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for deadline := time.Now().Add(10 * time.Second); db.Stats().OpenConnections > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	_ = tx.Rollback()
	if after, err := s.ForeignVersion(t.Context()); after == before || err != nil {
		t.Fatalf("the connection is not another one: version %d, %v", after, err)
	}
	if pages := s.pragma(t, "wal_autocheckpoint"); pages != longestLog {
		t.Errorf("the new connection checkpoints at %d pages", pages)
	}
}

// A change waits for its turn no longer than it is waited for.
func TestWriterThatIsBusy(t *testing.T) {
	s, _ := migrated(t)
	held, release := make(chan struct{}), make(chan struct{})
	go func() { _ = s.touch(context.Background(), func(*gorm.DB) error { close(held); <-release; return nil }) }()
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.touch(ctx, func(*gorm.DB) error { return nil }); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := s.touch(t.Context(), func(*gorm.DB) error { return nil }); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// R4: however the cut of the log ends, the writer waits for others as long as before.
func TestCutThatFails(t *testing.T) {
	s, _ := migrated(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for what, ctx := range map[string]context.Context{"works": t.Context(), "nobody waits": gone} {
		err := s.file(t).cutWAL(ctx, Space{WALBytes: longWAL})
		if (err == nil) != (ctx == t.Context()) {
			t.Errorf("%s: %v", what, err)
		}
		if wait := s.pragma(t, "busy_timeout"); wait != busyTimeout {
			t.Errorf("%s: the writer waits %d ms", what, wait)
		}
	}
	lock, err := sql.Open("sqlite3", "file:"+s.file(t).path)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	reader, err := lock.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Rollback()
	var users int
	if err := reader.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM users").Scan(&users); err != nil {
		t.Fatal(err)
	}
	if err := s.file(t).cutWAL(t.Context(), Space{WALBytes: longWAL}); err != nil {
		t.Errorf("beside a reader: %v", err)
	}
	if wait := s.pragma(t, "busy_timeout"); wait != busyTimeout {
		t.Errorf("beside a reader: the writer waits %d ms", wait)
	}
}

// doubtful is a connection whose commits are on the disk, and are said to have failed.
type doubtful struct{ *sqlite3.SQLiteConn }

type doubtfulTx struct{ driver.Tx }

func (d doubtful) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	tx, err := d.SQLiteConn.BeginTx(ctx, options)
	return doubtfulTx{tx}, err
}

func (d doubtfulTx) Commit() error {
	return errors.Join(d.Tx.Commit(), sqlite3.Error{Code: sqlite3.ErrIoErr})
}

type doubtfulConnector struct{ connector }

func (c *doubtfulConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.connector.Connect(ctx)
	inner, ok := conn.(*sqlite3.SQLiteConn)
	if !ok {
		return nil, err
	}
	return doubtful{inner}, nil
}

// Promise 2: caches forget also where a commit seems to have failed, for it may have
// reached the disk.
func TestCommitInDoubt(t *testing.T) {
	s, actor := migrated(t)
	if err := s.try(t.Context(), actor, 1); err != nil {
		t.Fatal(err)
	}
	list, err := s.Applications(t.Context(), actor.TeamID, models.ApplicationQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var heard []models.Notice
	s.Subscribe(func(n models.Notice) { heard = append(heard, n) })
	db := sql.OpenDB(&doubtfulConnector{connector{dsn: "file:" + s.file(t).path + "?_txlock=immediate"}})
	defer db.Close()
	if s.writes, err = gorm.Open(sqlite.New(sqlite.Config{Conn: db}), &gorm.Config{SkipDefaultTransaction: true}); err != nil {
		t.Fatal(err)
	}
	s.file(t).writes = s.writes
	app := list.Rows[0].ID
	if err := s.SwitchApplication(t.Context(), actor, app, false); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if !slices.ContainsFunc(heard, func(n models.Notice) bool { return n.ApplicationID == app }) {
		t.Errorf("caches heard %+v", heard)
	}
	if found, err := s.Application(t.Context(), actor.TeamID, app); err != nil || found.Enabled() {
		t.Errorf("the commit is not on the disk: %v", err)
	}
}

// A count that a change overtakes is not remembered.
func TestTotalThatIsOvertaken(t *testing.T) {
	var totals totals
	counted := 0
	count := func() (int64, error) {
		if counted++; counted == 1 {
			totals.forget("team")
		}
		return int64(counted), nil
	}
	for i, want := range []int64{1, 2, 2} {
		if got, err := totals.get("team", 1000, count); got != want || err != nil {
			t.Errorf("question %d: %d, want %d, %v", i, got, want, err)
		}
	}
}

// One who gives up while a statement is made ready takes nobody along.
func TestQueryThatAnotherGaveUp(t *testing.T) {
	s, _ := migrated(t)
	db, err := s.reads.DB()
	if err != nil {
		t.Fatal(err)
	}
	var held []*sql.Conn
	for range readers {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp, answered := make(chan error), make(chan error)
	go func() { _, err := s.TokenByHash(ctx, []byte("a")); gaveUp <- err }()
	go func() { _, err := s.TokenByHash(t.Context(), []byte("b")); answered <- err }()
	for db.Stats().WaitCount < 2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("who gave up: %v", err)
	}
	for _, conn := range held {
		_ = conn.Close()
	}
	if err := <-answered; !errors.Is(err, models.ErrNotFound) {
		t.Errorf("the other: %v", err)
	}
}
