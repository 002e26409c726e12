package migrations_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // makes the older database
	"github.com/pressly/goose/v3"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

var now = models.At(time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC))

// older makes a database as the first version left it, with an application, its
// secret and tokens in every state.
func older(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "latchkey.db")
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_foreign_keys=on")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("sqlite"), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	later, earlier := now.Add(time.Hour), now.Add(-48*time.Hour)
	for _, row := range []struct {
		sql  string
		args []any
	}{
		{"INSERT INTO users (id, email, email_key, name, password_hash, created_at) VALUES ('ana', 'a@b.c', 'a@b.c', 'Ana', '-', 1)", nil},
		{"INSERT INTO teams (id, name, name_key, created_at) VALUES ('team', 'Northwind', 'northwind', 1)", nil},
		{"INSERT INTO members (team_id, user_id, role, created_at) VALUES ('team', 'ana', 'owner', 1)", nil},
		{"INSERT INTO applications (id, team_id, type, name, name_key, client_id, lifespan, scopes, created_at) VALUES ('app', 'team', 'service', 'Bot', 'bot', 'client', 3600, 'api', 1)", nil},
		{"INSERT INTO teams (id, name, name_key, created_at) VALUES ('named', 'Contoso', 'contoso', 2)", nil},
		{"INSERT INTO applications (id, team_id, type, name, name_key, client_id, lifespan, scopes, created_at) VALUES ('named', 'named', 'service', 'temporary (IDE)', ?, 'named', 3600, 'api', 1)", []any{models.FoldName("temporary (IDE)")}},
		{"INSERT INTO client_secrets (id, application_id, team_id, hash, sealed, last4, created_at) VALUES ('secret', 'app', 'team', x'01', x'02', 'wxyz', 1)", nil},
		{insertToken, []any{"issued", "client_credentials", []byte("issued"), nil, later, 0}},
		{insertToken, []any{"manual", "manual", []byte("manual"), []byte("sealed"), later, 0}},
		{insertToken, []any{"expired", "client_credentials", []byte("expired"), nil, earlier, 0}},
		{insertToken, []any{"revoked", "client_credentials", []byte("revoked"), nil, later, earlier}},
		{insertEvent, []any{"event", "team", 1, "Application created", "application", "app"}},
		{insertEvent, []any{"shown", "team", 3, "Token shown", "token", "manual"}},
		{insertEvent, []any{"between", "team", 2, "Token created", "token", "gone"}},
		{insertEvent, []any{"server", "", 1, "Resource server added", "resource server", "server"}},
	} {
		if _, err := db.ExecContext(t.Context(), row.sql, row.args...); err != nil {
			t.Fatalf("%s: %v", row.sql, err)
		}
	}
	return path
}

const insertToken = `INSERT INTO tokens (id, application_id, team_id, kind, hash, sealed, last4, scopes, created_at, expires_at, revoked_at)
	VALUES (?, 'app', 'team', ?, ?, ?, 'Zk3Q', 'api', 1, ?, ?)`

const insertEvent = "INSERT INTO audit_events (id, team_id, at, actor_name, action, target_type, target_id) VALUES (?, ?, ?, 'Ana', ?, ?, ?)"

func migrated(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(older(t), func() models.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	files, err := filepath.Glob("sqlite/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{len(files) - 1, 0} {
		if n, err := s.Migrate(t.Context(), migrations.Run); n != want || err != nil {
			t.Fatalf("applied %d, %v; want %d", n, err, want)
		}
	}
	return s
}

func TestAnOlderDatabaseKeepsWhatItHolds(t *testing.T) {
	s := migrated(t)
	for hash, want := range map[string]models.Refusal{"issued": "", "manual": "", "expired": models.RefusedExpired, "revoked": models.RefusedRevoked} {
		bearer, err := s.TokenByHash(t.Context(), []byte(hash))
		if got, _ := bearer.Refused(now); err != nil || got != want || bearer.Epoch != 0 || bearer.AppEpoch != 0 {
			t.Errorf("%s: %q, %v", hash, got, err)
		}
	}
	client, err := s.ClientByID(t.Context(), "client")
	if err != nil || len(client.Secrets) != 1 || client.Secrets[0].Hash[0] != 1 || len(client.Keys) != 0 {
		t.Errorf("client %+v, %v", client, err)
	}
	status, err := s.Status(t.Context())
	if err != nil || status.Shrinks || status.Users != 1 || status.AuditEvents != 4 || len(status.Tokens) != 2 ||
		status.Tokens[0] != (store.TokenCount{Kind: models.KindClientCredentials, Active: 1, Expired: 1, Revoked: 1}) {
		t.Errorf("status %+v, %v", status, err)
	}
}

// Everything that the new tables and columns serve works on the old rows.
func TestAnOlderDatabaseGoesOn(t *testing.T) {
	s, ctx := migrated(t), t.Context()
	ana := models.Actor{UserID: "ana", UserName: "Ana", TeamID: "team", Role: models.RoleOwner}
	if token, err := s.RevealToken(ctx, ana, "app", "manual"); err != nil || string(token.Sealed) != "sealed" {
		t.Errorf("reveal: %q, %v", token.Sealed, err)
	}
	p, err := s.Purge(ctx, store.Retention{Manual: 720 * time.Hour, Issued: 24 * time.Hour})
	for done := false; err == nil && !done; {
		done, err = p.Step(ctx)
	}
	if err != nil || p.Deleted != 2 {
		t.Errorf("purge: %d, %v", p.Deleted, err)
	}
	if n, err := s.RevokeTokens(ctx, ana, "app"); n != 2 || err != nil {
		t.Errorf("revoke all: %d, %v", n, err)
	}
	key := models.ClientKey{ID: "key", Name: "laptop", JWK: "{}", Thumbprint: "abc", Description: "EC, P-256"}
	server := models.ResourceServer{ID: "server", Name: "API", ClientID: "other", Hash: []byte("h")}
	for name, err := range map[string]error{
		"key":             s.AddClientKey(ctx, ana, "app", key, ""),
		"assertion":       s.UseAssertion(ctx, "app", []byte("id"), now.Add(time.Minute)),
		"resource server": s.AddResourceServer(ctx, models.CommandLine, server),
		"token": s.InsertTokens(ctx, []models.Token{{ID: "new", ApplicationID: "app", TeamID: "team", Kind: models.KindClientCredentials,
			Hash: []byte("new"), Last4: "Zk3Q", Scopes: "api", Epoch: 1, ExpiresAt: now.Add(time.Hour)}}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for hash, want := range map[string]models.Refusal{"issued": models.RefusedRevoked, "manual": models.RefusedRevoked, "new": ""} {
		bearer, err := s.TokenByHash(ctx, []byte(hash))
		if got, _ := bearer.Refused(now); err != nil || got != want {
			t.Errorf("%s: %q, %v", hash, got, err)
		}
	}
	if _, err := s.TokenByHash(ctx, []byte("expired")); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("the purged one: %v", err)
	}
}

// Events from before there were chains form one in their order, with the application that
// they are about.
func TestEarlierEventsAreChained(t *testing.T) {
	s, ctx := migrated(t), t.Context()
	ana := models.Actor{UserID: "ana", UserName: "Ana", TeamID: "team", Role: models.RoleOwner}
	if err := s.SwitchApplication(ctx, ana, "app", false); err != nil {
		t.Fatal(err)
	}
	for team, n := range map[string]int64{"team": 4, "": 1} {
		verdict, err := s.VerifyAudit(ctx, team, models.AuditHead{})
		if err != nil || verdict.Break != nil || verdict.FirstSeq != 1 || verdict.LastSeq != n {
			t.Errorf("team %q: %+v, %v", team, verdict, err)
		}
	}
	events, err := s.AuditEvents(ctx, "team", models.AuditQuery{}, 10)
	if err != nil || len(events) != 4 {
		t.Fatal(len(events), err)
	}
	for i, want := range []struct{ id, app string }{{"", "app"}, {"shown", "app"}, {"between", ""}, {"event", "app"}} {
		if i > 0 && events[i].ID != want.id || events[i].ApplicationID != want.app || events[i].Seq != int64(4-i) {
			t.Errorf("%d: %+v", i, events[i])
		}
	}
}

// A team of before has the built-in application too, also where one of its own has the name.
func TestAnOlderTeamGetsTheBuiltInApplication(t *testing.T) {
	s, ctx := migrated(t), t.Context()
	for team, own := range map[string]int{"team": 0, "named": 1} {
		list, err := s.Applications(ctx, team, models.ApplicationQuery{Search: models.BuiltInName})
		if err != nil || len(list.Rows) != own+1 {
			t.Fatalf("%s: %+v, %v", team, list, err)
		}
		app := list.Rows[own]
		if app.Type != models.TypeBuiltIn || app.Name != models.BuiltInName || app.Lifespan != 43200 || len(app.ID) != 36 || len(app.ClientID) != 36 || app.ClientID == app.ID {
			t.Errorf("%s: %+v", team, app)
		}
	}
	ana := models.Actor{UserID: "ana", UserName: "Ana", TeamID: "team", Role: models.RoleOwner}
	if err := s.CheckName(ctx, "team", models.BuiltInName, ""); err == nil {
		t.Error("its name is free")
	}
	token, err := s.CreateTemporaryToken(ctx, ana, models.Token{ID: "temporary", Hash: []byte("temporary"), Last4: "nB2e", Scopes: "api", ExpiresAt: now.Add(time.Hour)})
	if err != nil || token.TeamID != "team" {
		t.Errorf("%+v, %v", token, err)
	}
}
