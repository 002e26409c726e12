// Package storetest gives tests a migrated database of their own, with a clock
// that they move.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// Start is where the clock of a test begins.
var Start = models.At(time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC))

// DB is a store on a real database.
type DB struct {
	*store.Store
	// Path is the address of the database: a file, or of PostgreSQL.
	Path  string
	clock atomic.Int64
	// server is PostgreSQL behind the store's back.
	server *sql.DB
}

// New opens a migrated database that ends with the test, of the kind that is tested.
func New(t testing.TB) *DB {
	t.Helper()
	if pgtest.Chosen() {
		return Postgres(t)
	}
	return SQLite(t)
}

// Postgres is New for what has to do with the server, or with several nodes.
func Postgres(t testing.TB) *DB {
	t.Helper()
	return open(t, pgtest.Database(t, migrations.Postgres(), Migrate))
}

// SQLite is New for what has to do with the file.
func SQLite(t testing.TB) *DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "latchkey.db")
	Put(t, path)
	return open(t, path)
}

func open(t testing.TB, path string) *DB {
	t.Helper()
	db := &DB{Path: path}
	db.clock.Store(int64(Start))
	var err error
	if db.Store, err = store.Open(db.Path, db.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if db.OnPostgres() {
		db.server = sql.OpenDB(numbering{path})
		t.Cleanup(func() { _ = db.server.Close() })
	}
	return db
}

// OnPostgres tells which kind of database it is.
func (db *DB) OnPostgres() bool { return store.IsPostgres(db.Path) }

// Migrate brings a database up to date.
func Migrate(ctx context.Context, path string) error {
	s, err := store.Open(path, func() models.Time { return Start }) //nolint:contextcheck // Open takes none
	if err != nil {
		return err
	}
	_, err = s.Migrate(ctx, migrations.Run)
	return errors.Join(err, s.Close())
}

// Put writes a migrated SQLite database to path, where none is yet.
func Put(t testing.TB, path string) {
	t.Helper()
	content, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// migrated is the file of a migrated database that nobody has used. Migrating takes longer
// than most tests.
var migrated = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "latchkey-template-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "latchkey.db")
	if err := Migrate(context.Background(), path); err != nil {
		return nil, err
	}
	// The last one to close the file moves into it what the log still has.
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(errors.New("the file of the template is not whole"), err)
	}
	return os.ReadFile(path)
})

// Now is the store's clock.
func (db *DB) Now() models.Time { return models.Time(db.clock.Load()) }

// Wait moves the clock.
func (db *DB) Wait(d time.Duration) { db.clock.Add(d.Milliseconds()) }

// Until sets the clock.
func (db *DB) Until(at models.Time) { db.clock.Store(int64(at)) }

// Member makes a user and returns it as an actor. The team is made where it does
// not exist; its first member is an owner.
func (db *DB) Member(t testing.TB, team, name string, role models.Role) models.Actor {
	t.Helper()
	email := name + "@" + team + ".example"
	user, err := db.AddUser(t.Context(), models.CommandLine, store.Account{Name: name, Email: email, PasswordHash: "-", Team: team, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return models.Actor{UserID: user.ID, UserName: name, Email: email, TeamID: db.Events(t, "")[0].TeamID, TeamName: team, Role: role, Address: "192.0.2.7", RequestID: "test"}
}

// Application makes an application of the actor's team that issues tokens for an hour.
func (db *DB) Application(t testing.TB, actor models.Actor, name string) models.Application {
	t.Helper()
	app := models.Application{ID: store.NewID(), Type: models.TypeService, Name: name, ClientID: store.NewID(), Lifespan: 3600, Scopes: "api"}
	secret := models.ClientSecret{ID: store.NewID(), Hash: []byte(name), Sealed: []byte("sealed"), Last4: "wxyz"}
	if _, err := db.CreateApplication(t.Context(), actor, app, secret, ""); err != nil {
		t.Fatal(err)
	}
	app.TeamID = actor.TeamID
	return app
}

// Token makes a token that lives for an hour from now.
func (db *DB) Token(t testing.TB, actor models.Actor, app models.Application, kind models.TokenKind, hash string) models.Token {
	t.Helper()
	token := models.Token{
		ID: store.NewID(), ApplicationID: app.ID, TeamID: app.TeamID, Kind: kind, Hash: []byte(hash), Last4: "Zk3Q",
		Scopes: app.Scopes, CreatedAt: db.Now(), ExpiresAt: app.Expiry(db.Now(), 0),
	}
	var err error
	if kind == models.KindManual {
		token.Sealed = []byte("sealed " + hash)
		_, err = db.CreateManualToken(t.Context(), actor, token, "")
	} else {
		err = db.InsertTokens(t.Context(), []models.Token{token})
	}
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Tokens stores n active tokens of the endpoint that share what like says: its
// epoch and, where set, when they expire.
func (db *DB) Tokens(t testing.TB, app models.Application, n int, like models.Token) []models.Token {
	t.Helper()
	all := make([]models.Token, n)
	for i := range all {
		like.ID, like.ApplicationID, like.TeamID, like.Kind = store.NewID(), app.ID, app.TeamID, models.KindClientCredentials
		like.Last4, like.Scopes, like.CreatedAt = "Zk3Q", app.Scopes, db.Now()
		if like.ExpiresAt == 0 {
			like.ExpiresAt = app.Expiry(db.Now(), 0)
		}
		first, second := uuid.New(), uuid.New()
		like.Hash = slices.Concat(first[:], second[:])
		all[i] = like
	}
	for batch := range slices.Chunk(all, 500) {
		if err := db.InsertTokens(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Key adds a public key to an application; name tells it from others.
func (db *DB) Key(t testing.TB, actor models.Actor, app models.Application, name string) models.ClientKey {
	t.Helper()
	key := models.ClientKey{ID: store.NewID(), Name: name, JWK: "JWK of " + name, Thumbprint: "thumbprint of " + name, Description: "EC, P-256"}
	if err := db.AddClientKey(t.Context(), actor, app.ID, key, ""); err != nil {
		t.Fatal(err)
	}
	return key
}
