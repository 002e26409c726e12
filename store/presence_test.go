package store_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// A6, O10: nothing is answered from, or written to, a file that is not there any
// more, since nobody would find it again.
func TestFileThatWasRemovedOrReplaced(t *testing.T) {
	db := storetest.SQLite(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	token := db.Token(t, ana, app, models.KindManual, "manual")
	ctx := t.Context()
	deeds := map[string]func() error{
		"insert":  func() error { return db.InsertTokens(ctx, []models.Token{{ID: "x"}}) },
		"find":    func() error { _, err := db.TokenByHash(ctx, token.Hash); return err },
		"client":  func() error { _, err := db.ClientByID(ctx, app.ClientID); return err },
		"list":    func() error { _, err := db.Applications(ctx, ana.TeamID, models.ApplicationQuery{}); return err },
		"page":    func() error { _, err := db.Store.Application(ctx, ana.TeamID, app.ID); return err },
		"session": func() error { _, _, err := db.Session(ctx, []byte("x")); return err },
		"revoke":  func() error { _, _, err := db.RevokeToken(ctx, ana, app.ID, token.ID); return err },
		"delete":  func() error { _, err := db.DeleteApplication(ctx, ana, app.ID); return err },
		"create":  func() error { return db.AddResourceServer(ctx, models.CommandLine, resourceServer("API")) },
		"touch":   func() error { return db.SaveLastUsed(ctx, []models.TokenUse{{TokenID: token.ID}}, nil) },
		"sweep":   func() error { return db.Sweep(ctx, time.Hour, time.Hour) },
	}
	refused := func(when string) {
		t.Helper()
		if _, err := db.ForeignVersion(ctx); !errors.Is(err, models.ErrUnavailable) {
			t.Errorf("%s: %v", when, err)
		}
		for name, do := range deeds {
			if err := do(); !errors.Is(err, models.ErrUnavailable) {
				t.Errorf("%s, %s: %v", when, name, err)
			}
		}
	}
	content, err := os.ReadFile(db.Path)
	if err != nil {
		t.Fatal(err)
	}
	away := db.Path + ".away"
	if err := os.Rename(db.Path, away); err != nil {
		t.Fatal(err)
	}
	refused("moved away")
	if err := os.WriteFile(db.Path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("replaced by a copy")
	if err := os.Rename(away, db.Path); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ForeignVersion(ctx); err != nil || refusal(t, db, "manual") != "" {
		t.Errorf("put back: %v, %q", err, refusal(t, db, "manual"))
	}
	if _, was, err := db.RevokeToken(ctx, ana, app.ID, token.ID); err != nil || !was {
		t.Errorf("revoking with the file back: %v, %v", was, err)
	}
}
