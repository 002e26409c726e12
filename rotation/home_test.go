package rotation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

const (
	settle = 10 * time.Second
	check  = "latchkey"
)

var checkPlace = secrets.Place{Table: "key_checks", Column: "sealed", Row: store.KeyCheckID}

// home is a database with values in every table that has sealed ones.
type home struct {
	*storetest.DB
	keyFile string
	old     *secrets.Keys
	ana     models.Actor
	app     models.Application
	// values are what stands sealed, by place.
	values map[secrets.Place]string
}

func newHome(t *testing.T, tokens int) *home {
	t.Helper()
	db := storetest.New(t)
	h := &home{DB: db, keyFile: filepath.Join(filepath.Dir(db.Path), "keys.json"), ana: db.Member(t, "northwind", "ana", models.RoleOwner), values: map[secrets.Place]string{}}
	var err error
	if h.old, err = secrets.CreateKeys(h.keyFile); err != nil {
		t.Fatal(err)
	}
	id := store.NewID()
	h.app = models.Application{ID: id, Type: models.TypeService, Name: "Bot", ClientID: id, Lifespan: 3600, Scopes: "api", TeamID: h.ana.TeamID}
	invitation := models.Invitation{ID: id, Email: "bob@example.com", Role: models.RoleViewer, CodeHash: []byte("c"), Sealed: h.seal(t, "invitations", id)}
	_, failed := db.CreateApplication(t.Context(), h.ana, h.app, models.ClientSecret{ID: id, Hash: []byte("h"), Sealed: h.seal(t, "client_secrets", id), Last4: "wxyz"}, "")
	_, invited := db.Invite(t.Context(), h.ana, invitation, "")
	err = errors.Join(failed, invited,
		db.SaveKeyCheck(t.Context(), h.seal(t, "key_checks", store.KeyCheckID)),
		db.SetWebhook(t.Context(), h.ana, "https://example.com/hook", h.seal(t, "webhooks", h.ana.TeamID)),
		db.AddAuthenticator(t.Context(), h.ana, models.Authenticator{Sealed: h.seal(t, "authenticators", h.ana.UserID)}, []string{"code"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	h.addTokens(t, tokens)
	return h
}

func (h *home) seal(t *testing.T, table, row string) []byte {
	t.Helper()
	place := secrets.Place{Table: table, Column: "sealed", Row: row}
	h.values[place] = check
	if table != "key_checks" {
		h.values[place] = secrets.RandomText()
	}
	sealed, err := h.old.Seal(models.NewSecret(h.values[place]), place)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// addTokens stores manual tokens in one transaction, past the audit log.
func (h *home) addTokens(t *testing.T, n int) {
	t.Helper()
	tx, err := h.Raw(t).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	insert, err := tx.PrepareContext(t.Context(), `INSERT INTO tokens (id, application_id, team_id, kind, hash, sealed, last4, scopes, created_at, expires_at)
		VALUES (?, ?, ?, 'manual', ?, ?, 'Zk3Q', 'api', ?, ?)`)
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close()
	for i := range n {
		id := store.NewID()
		if _, err := insert.ExecContext(t.Context(), id, h.app.ID, h.ana.TeamID, fmt.Append(nil, i), h.seal(t, "tokens", id), h.Now(), h.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// opens checks that every value opens with the keys of the file, and returns how many
// open with the old ones.
func (h *home) opens(t *testing.T) (old int) {
	t.Helper()
	return opensAll(t, h.Raw(t), h.SealedTables(), h.values, h.keyFile, h.old)
}

func opensAll(t *testing.T, raw *sql.DB, tables []string, values map[secrets.Place]string, keyFile string, old *secrets.Keys) (byOld int) {
	t.Helper()
	keys, err := secrets.LoadKeys(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{"authenticators": "user_id", "webhooks": "team_id", "acme_state": "name"}
	found := 0
	for _, table := range tables {
		id := ids[table]
		if id == "" {
			id = "id"
		}
		rows, err := raw.QueryContext(t.Context(), "SELECT "+id+", sealed FROM "+table+" WHERE sealed IS NOT NULL")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			place, sealed := secrets.Place{Table: table, Column: "sealed"}, []byte(nil)
			if err := rows.Scan(&place.Row, &sealed); err != nil {
				t.Fatal(err)
			}
			value, err := keys.Open(sealed, place)
			if err != nil || value.Reveal() != values[place] {
				t.Errorf("%s %s does not open as what it was: %v", table, place.Row, err)
			}
			if _, err := old.Open(sealed, place); err == nil {
				byOld++
			}
			found++
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if found != len(values) {
		t.Errorf("%d values of %d", found, len(values))
	}
	return byOld
}

// process is one that has the database open for itself, and read the key file.
type process struct {
	*Rotation
	db *store.Store
}

func (h *home) process(t *testing.T, keyFile string) process {
	t.Helper()
	p, err := newProcess(h.Path, keyFile, h.Now, settle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.db.Close() })
	return p
}

func newProcess(path, keyFile string, now func() models.Time, settle time.Duration) (process, error) {
	db, err := store.Open(path, now)
	if err != nil {
		return process{}, err
	}
	source := fileSource(keyFile)
	stamp := source.Stamp()
	keys, err := source.Keys(context.Background())
	if err != nil {
		return process{}, err
	}
	r := New(Deps{
		Store: db, Source: source, Keys: keys, Log: slog.New(slog.DiscardHandler), Now: now, Settle: settle, Actor: models.CommandLine,
		Fits: func(ctx context.Context, keys *secrets.Keys) error {
			sealed, err := db.KeyCheck(ctx)
			if err == nil {
				_, err = keys.Open(sealed, checkPlace)
			}
			return err
		},
		Rest: func(ctx context.Context, step func(ctx context.Context) (bool, error)) error {
			for {
				if done, err := step(ctx); done || err != nil {
					return err
				}
			}
		},
	}, stamp)
	return process{Rotation: r, db: db}, nil
}

func fileSource(path string) Source {
	return Source{
		Name: "key file " + path, Stamp: func() string { return secrets.KeyFileStamp(path) },
		Read: func(context.Context) ([]byte, error) { return secrets.ReadKeyFile(path) },
		Change: func(ctx context.Context, change secrets.KeyChange) error {
			return secrets.ChangeKeyFile(ctx, path, change)
		},
	}
}

// server is a process that the others wait for.
func (h *home) server(t *testing.T, keyFile, id string) process {
	t.Helper()
	p := h.process(t, keyFile)
	if err := p.Join(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return p
}

// turn is what a server does in a few seconds.
func (p process) turn(t *testing.T) Progress {
	t.Helper()
	if err := p.Reload(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if err := p.tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	progress, err := p.Advance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	return progress
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
