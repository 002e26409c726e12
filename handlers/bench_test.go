package handlers_test

import (
	"net/http"
	"testing"

	"github.com/latchkey/latchkey/models"
)

// BenchmarkApplicationsPage answers 25 of 10,000 applications, signed in, over HTTP.
func BenchmarkApplicationsPage(b *testing.B) {
	s := newSite(b)
	ana := s.member(b, "northwind", "ana", models.RoleOwner)
	fill := []string{
		`INSERT INTO applications (id, team_id, type, name, name_key, client_id, lifespan, scopes, created_at)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
			SELECT 'app-' || (10000 + i), ?1, 'service', 'Application ' || (10000 + i), 'APPLICATION ' || (10000 + i), 'client-' || (10000 + i), 3600, 'api', ?2 FROM n`,
		`INSERT INTO tokens (id, application_id, team_id, kind, hash, last4, scopes, created_at, expires_at)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
			SELECT 'token-' || (10000 + i), 'app-' || (10001 + i % 10000), ?1, 'client_credentials', CAST('hash-' || (10000 + i) AS ` + s.db.Binary() + `), 'abcd', 'api', ?2, ?2 + 3600000 FROM n`,
	}
	for _, statement := range fill {
		if _, err := s.db.Raw(b).ExecContext(b.Context(), statement, ana.TeamID, int64(s.db.Now())); err != nil {
			b.Fatal(err)
		}
	}
	owner := s.signedIn(b, ana)
	for name, query := range map[string]string{
		"first page": "", "last page": "?page=400", "search": "?q=application+109", "by active tokens": "?sort=active&dir=desc", "by last use": "?sort=last_used&dir=desc",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got := owner.get(apps + query); got.StatusCode != http.StatusOK {
					b.Fatal(got.Status)
				}
			}
		})
	}
}
