package store_test

import (
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// BenchmarkApplications lists the first of 10,000 applications with three tokens each.
func BenchmarkApplications(b *testing.B) {
	db := storetest.New(b)
	ana := db.Member(b, "northwind", "ana", models.RoleOwner)
	fillApplications(b, db, ana)
	b.ReportAllocs()
	for b.Loop() {
		list, err := db.Applications(b.Context(), ana.TeamID, models.ApplicationQuery{})
		if err != nil || len(list.Rows) != models.PageSize || list.Rows[0].ActiveTokens != 3 {
			b.Fatal(len(list.Rows), err)
		}
	}
}

func fillApplications(b *testing.B, db *storetest.DB, ana models.Actor) {
	b.Helper()
	const applications = `INSERT INTO applications (id, team_id, type, name, name_key, client_id, lifespan, scopes, created_at, created_by)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
		SELECT 'app ' || i, ?, 'service', 'Application ' || i, 'APPLICATION ' || i, 'client ' || i, 3600, 'api', ?, ? FROM n`
	tokens := `INSERT INTO tokens (id, application_id, team_id, kind, hash, last4, scopes, created_at, expires_at)
		SELECT a.id || n.i, a.id, a.team_id, 'client_credentials', CAST(a.id || n.i AS ` + db.Binary() + `), 'Zk3Q', 'api', a.created_at, a.created_at + 3600000
		FROM applications a, (SELECT 1 AS i UNION SELECT 2 UNION SELECT 3) n`
	raw := db.Raw(b)
	if _, err := raw.ExecContext(b.Context(), applications, ana.TeamID, db.Now(), ana.UserID); err != nil {
		b.Fatal(err)
	}
	if _, err := raw.ExecContext(b.Context(), tokens); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSession finds who a cookie belongs to, as each page does.
func BenchmarkSession(b *testing.B) {
	db := storetest.New(b)
	ana := db.Member(b, "northwind", "ana", models.RoleOwner)
	hash := []byte(store.NewID())
	if err := db.SignIn(b.Context(), ana, models.Session{IDHash: hash, UserID: ana.UserID}, byPassword(ana, "-"), nil, []byte("browser")); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, actor, err := db.Session(b.Context(), hash); err != nil || actor.UserID != ana.UserID {
			b.Fatal(actor, err)
		}
	}
}
