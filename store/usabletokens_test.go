package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// D3: what ends a token, and what belongs to another team, is not offered.
func TestUsableTokens(t *testing.T) {
	db := storetest.New(t)
	ctx := t.Context()
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	type ending func(app models.Application, token models.Token) error
	for name, c := range map[string]struct {
		end  ending
		good bool
	}{
		"good": {func(models.Application, models.Token) error { return nil }, true},
		"revoked": {func(app models.Application, token models.Token) error {
			_, _, err := db.RevokeToken(ctx, ana, app.ID, token.ID)
			return err
		}, false},
		"all": {func(app models.Application, _ models.Token) error {
			_, err := db.RevokeTokens(ctx, ana, app.ID)
			return err
		}, false},
		"off": {func(app models.Application, _ models.Token) error {
			return db.SwitchApplication(ctx, ana, app.ID, false)
		}, false},
		"deleted": {func(app models.Application, _ models.Token) error {
			_, err := db.DeleteApplication(ctx, ana, app.ID)
			return err
		}, false},
		"expired":    {func(_ models.Application, token models.Token) error { db.Until(token.ExpiresAt); return nil }, false},
		"not sealed": {nil, false},
	} {
		app := db.Application(t, ana, "Of "+name)
		kind := models.KindManual
		if c.end == nil {
			kind = models.KindClientCredentials
		}
		token := db.Token(t, ana, app, kind, "hash "+name)
		if c.end != nil {
			if err := c.end(app, token); err != nil {
				t.Fatal(err)
			}
		}
		row, err := db.UsableToken(ctx, ana.TeamID, token.ID)
		if c.good != (err == nil) || err != nil && !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
		if c.good && (len(row.Sealed) == 0 || row.ApplicationName != app.Name) {
			t.Errorf("%s: %+v", name, row)
		}
		list, err := db.UsableTokens(ctx, ana.TeamID, 9)
		if err != nil || c.good != holds(list, token.ID) {
			t.Errorf("%s: the list holds it: %v, %v", name, holds(list, token.ID), err)
		}
		if _, err := db.UsableToken(ctx, eve.TeamID, token.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s, another team: %v", name, err)
		}
		if list, err := db.UsableTokens(ctx, eve.TeamID, 9); err != nil || len(list) != 0 {
			t.Errorf("%s, another team: %v %v", name, list, err)
		}
	}
}

func holds(list []models.UsableToken, id string) bool {
	for _, row := range list {
		if row.ID == id && len(row.Sealed) == 0 {
			return true
		}
	}
	return false
}

// D7: the use of a token is noted before the value is opened; what cannot be noted is not used.
func TestUseTokenIsNoted(t *testing.T) {
	db := storetest.New(t)
	ana, eve := db.Member(t, "northwind", "ana", models.RoleOwner), db.Member(t, "contoso", "eve", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	token := db.Token(t, ana, app, models.KindManual, "h1")
	if err := db.UseToken(t.Context(), ana, app.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	if event := db.Events(t, ana.TeamID)[0]; event.Action != models.AuditTokenUsed || event.TargetID != token.ID || event.ActorID != ana.UserID {
		t.Errorf("noted: %+v", event)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM sightings"); n != 0 {
		t.Errorf("the use counts as seen %d times", n)
	}
	if err := db.UseToken(t.Context(), eve, app.ID, token.ID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("another team: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.UseToken(ended, ana, app.ID, token.ID); err == nil {
		t.Error("a use that could not be noted went through")
	}
	db.Wait(time.Duration(app.Lifespan) * time.Second * 2)
	if err := db.UseToken(t.Context(), ana, app.ID, token.ID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("an ended token: %v", err)
	}
}
