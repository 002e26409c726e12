package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func TestDatabaseFileIsPrivate(t *testing.T) {
	db := storetest.SQLite(t)
	db.Member(t, "northwind", "ana", models.RoleOwner)
	files, err := filepath.Glob(db.Path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("want the database and its journal, got %v (%v)", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(file), info.Mode().Perm())
		}
	}
}

func TestMigrationsRunOnceAndRefuseANewerDatabase(t *testing.T) {
	db := storetest.New(t)
	if n, err := db.Migrate(t.Context(), migrations.Run); n != 0 || err != nil {
		t.Fatalf("second run applied %d, %v", n, err)
	}
	raw := db.Raw(t)
	if _, err := raw.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)"); err != nil {
		t.Fatal(err)
	}
	_, err := db.Migrate(t.Context(), migrations.Run)
	var newer migrations.NewerError
	if !errors.As(err, &newer) || newer.Database != 9999 {
		t.Fatalf("got %v, want a NewerError for 9999", err)
	}
}

// D3: what belongs to another team is not found, by any method.
func TestAnotherTeamIsNotFound(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	app := db.Application(t, ana, "Trading bot")
	token := db.Token(t, ana, app, models.KindManual, "h1")
	ctx := t.Context()
	attempts := map[string]func() error{
		"read":  func() error { _, err := db.Store.Application(ctx, eve.TeamID, app.ID); return err },
		"token": func() error { _, err := db.Store.Token(ctx, eve.TeamID, app.ID, token.ID); return err },
		"change": func() error {
			return db.ChangeApplication(ctx, eve, app.ID, models.ApplicationValues{Name: "x", Lifespan: 60, Scopes: "api"}, 0)
		},
		"switch": func() error { return db.SwitchApplication(ctx, eve, app.ID, false) },
		"delete": func() error { _, err := db.DeleteApplication(ctx, eve, app.ID); return err },
		"rotate": func() error {
			return db.RotateSecret(ctx, eve, app.ID, store.Rotation{Secret: models.ClientSecret{ID: "s"}, Overlap: 0, FormKey: ""})
		},
		"retire":  func() error { return db.RetireSecret(ctx, eve, app.ID) },
		"secret":  func() error { _, err := db.RevealSecret(ctx, eve, app.ID); return err },
		"reveal":  func() error { _, err := db.RevealToken(ctx, eve, app.ID, token.ID); return err },
		"revoke":  func() error { _, _, err := db.RevokeToken(ctx, eve, app.ID, token.ID); return err },
		"revokes": func() error { _, err := db.RevokeTokens(ctx, eve, app.ID); return err },
		"create": func() error {
			_, err := db.CreateManualToken(ctx, eve, models.Token{ID: "t", ApplicationID: app.ID}, "")
			return err
		},
	}
	before := db.Events(t, "")
	for name, attempt := range attempts {
		if err := attempt(); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s: got %v, want not found", name, err)
		}
	}
	after := db.Events(t, "")
	if len(after) != len(before) {
		t.Errorf("refused attempts left %d events", len(after)-len(before))
	}
	list, err := db.Applications(ctx, eve.TeamID, models.ApplicationQuery{})
	if err != nil || list.Total != 1 || list.Rows[0].Type != models.TypeBuiltIn {
		t.Errorf("another team lists %d applications, %v", list.Total, err)
	}
	if found, err := db.TokenByHash(ctx, []byte("h1")); err != nil || found.RevokedAt != 0 {
		t.Errorf("the token suffered: %v %v", found.RevokedAt, err)
	}
}

// A token belongs to one application; another one of the same team does not reach it.
func TestTokenThroughAnotherApplicationIsNotFound(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app, other := db.Application(t, ana, "One"), db.Application(t, ana, "Two")
	token := db.Token(t, ana, app, models.KindManual, "h1")
	if _, err := db.RevealToken(t.Context(), ana, other.ID, token.ID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("reveal: %v", err)
	}
	if _, _, err := db.RevokeToken(t.Context(), ana, other.ID, token.ID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("revoke: %v", err)
	}
}

// A4: no statement changes or removes an audit event.
func TestAuditEventsAreOnlyAdded(t *testing.T) {
	db := storetest.New(t)
	db.Member(t, "northwind", "ana", models.RoleOwner)
	raw := db.Raw(t)
	statements := []string{"UPDATE audit_events SET actor_name = 'x'", "DELETE FROM audit_events"}
	if db.OnPostgres() {
		statements = append(statements, "TRUNCATE audit_events")
	}
	for _, statement := range statements {
		if _, err := raw.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "only ever added") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// D7: the change and its event are one transaction.
func TestEveryChangeLeavesOneEvent(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Trading bot")
	token := db.Token(t, ana, app, models.KindManual, "h1")
	db.Token(t, ana, app, models.KindManual, "h2")
	ctx := t.Context()
	steps := []struct {
		want models.AuditAction
		do   func() error
	}{
		{models.AuditApplicationChanged, func() error {
			return db.ChangeApplication(ctx, ana, app.ID, models.ApplicationValues{Name: "Bot", Lifespan: 7200, Scopes: "api"}, 1)
		}},
		{models.AuditSecretShown, func() error { _, err := db.RevealSecret(ctx, ana, app.ID); return err }},
		{models.AuditSecretRotated, func() error {
			return db.RotateSecret(ctx, ana, app.ID, store.Rotation{Secret: models.ClientSecret{ID: "s2", Hash: []byte("2"), Sealed: []byte("2")}, Overlap: time.Hour, FormKey: ""})
		}},
		{models.AuditSecretRetired, func() error { return db.RetireSecret(ctx, ana, app.ID) }},
		{models.AuditTokenShown, func() error { _, err := db.RevealToken(ctx, ana, app.ID, token.ID); return err }},
		{models.AuditTokenRevoked, func() error { _, _, err := db.RevokeToken(ctx, ana, app.ID, token.ID); return err }},
		{models.AuditTokensRevoked, func() error { _, err := db.RevokeTokens(ctx, ana, app.ID); return err }},
		{models.AuditApplicationDisabled, func() error { return db.SwitchApplication(ctx, ana, app.ID, false) }},
		{models.AuditApplicationEnabled, func() error { return db.SwitchApplication(ctx, ana, app.ID, true) }},
		{models.AuditApplicationDeleted, func() error { _, err := db.DeleteApplication(ctx, ana, app.ID); return err }},
	}
	for _, step := range steps {
		before := db.Events(t, ana.TeamID)
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.want, err)
		}
		after := db.Events(t, ana.TeamID)
		if len(after) != len(before)+1 || after[0].Action != step.want || after[0].ActorID != ana.UserID || after[0].Target == "" {
			t.Errorf("%s: %d new events, the newest %+v", step.want, len(after)-len(before), after[0])
		}
	}
}

func TestNamesAreUniqueInATeamWhateverTheCase(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	app := db.Application(t, ana, "Straße ΣΑΣ")
	db.Application(t, eve, "Straße ΣΑΣ")
	twin := models.Application{ID: store.NewID(), Type: models.TypeService, Name: "STRAßE σας", ClientID: store.NewID(), Lifespan: 60, Scopes: "api"}
	secret := models.ClientSecret{ID: store.NewID(), Hash: []byte("x"), Sealed: []byte("x")}
	_, err := db.CreateApplication(t.Context(), ana, twin, secret, "")
	var fields models.FieldErrors
	if !errors.As(err, &fields) || !strings.Contains(fields["name"], "already has an application called Straße ΣΑΣ") {
		t.Fatalf("got %v", err)
	}
	if _, err := db.DeleteApplication(t.Context(), ana, app.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateApplication(t.Context(), ana, twin, secret, ""); err != nil {
		t.Errorf("the name of a deleted application is not free: %v", err)
	}
}

// D8: the database decides, not a look before the write.
func TestFiftyAtOnceYieldOneWinner(t *testing.T) {
	db := storetest.New(t)
	winners := race(func(i int) error {
		_, err := db.Setup(t.Context(), models.Actor{}, store.Account{Name: "Ana", Email: fmt.Sprintf("ana%d@example.com", i), PasswordHash: "-", Team: "Northwind"})
		return err
	})
	if winners != 1 {
		t.Fatalf("setup had %d winners", winners)
	}
	ana := db.Member(t, "other", "bob", models.RoleOwner)
	winners = race(func(i int) error {
		app := models.Application{ID: store.NewID(), Type: models.TypeService, Name: "Same", ClientID: store.NewID(), Lifespan: 60, Scopes: "api"}
		_, err := db.CreateApplication(t.Context(), ana, app, models.ClientSecret{ID: store.NewID(), Hash: []byte("x"), Sealed: []byte("x")}, "")
		return err
	})
	if winners != 1 {
		t.Errorf("the name had %d winners", winners)
	}
	list, _ := db.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{})
	app := list.Rows[0]
	winners = race(func(i int) error {
		return db.ChangeApplication(t.Context(), ana, app.ID, models.ApplicationValues{Name: fmt.Sprint("Name ", i), Lifespan: 60, Scopes: "api"}, app.Version)
	})
	if winners != 1 {
		t.Errorf("the edit had %d winners", winners)
	}
}

func race(try func(i int) error) int {
	var wg sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		wg.Go(func() { errs[i] = try(i) })
	}
	wg.Wait()
	return len(slices.DeleteFunc(errs, func(err error) bool { return err != nil }))
}

func TestRotationLeavesAtMostOneOldSecret(t *testing.T) { // T8
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	rotate := func(id string, overlap time.Duration, form string) {
		t.Helper()
		if err := db.RotateSecret(t.Context(), ana, app.ID, store.Rotation{Secret: models.ClientSecret{ID: id, Hash: []byte(id), Sealed: []byte(id), Last4: id}, Overlap: overlap, FormKey: form}); err != nil {
			t.Fatal(err)
		}
	}
	good := func() (ids []string) {
		client, err := db.ClientByID(t.Context(), app.ClientID)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range client.Secrets {
			if s.Good(db.Now()) {
				ids = append(ids, string(s.Hash))
			}
		}
		slices.Sort(ids)
		return ids
	}
	rotate("s2", time.Hour, "form-1")
	rotate("s2b", time.Hour, "form-1") // the same form again changes nothing
	if got := good(); !slices.Equal(got, []string{"Bot", "s2"}) {
		t.Fatalf("after one rotation %v", got)
	}
	rotate("s3", time.Hour, "form-2")
	if got := good(); !slices.Equal(got, []string{"s2", "s3"}) {
		t.Fatalf("after two rotations %v", got)
	}
	db.Wait(time.Hour)
	if got := good(); !slices.Equal(got, []string{"s3"}) {
		t.Fatalf("after the overlap %v", got)
	}
	rotate("s4", 0, "form-3")
	if got := good(); !slices.Equal(got, []string{"s4"}) {
		t.Fatalf("without overlap %v", got)
	}
}

// O8: rows have UUIDs that differ and sort by time.
func TestIDsAreUUIDs(t *testing.T) {
	last := ""
	for range 1000 {
		id := store.NewID()
		if parsed, err := uuid.Parse(id); err != nil || parsed.Version() != 7 || id <= last {
			t.Fatalf("%q after %q (%v)", id, last, err)
		}
		last = id
	}
}
