package store_test

import (
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// BenchmarkAuditPage shows pages of a log of a million events.
func BenchmarkAuditPage(b *testing.B) {
	db := storetest.New(b)
	ana := db.Member(b, "northwind", "ana", models.RoleOwner)
	db.FillLog(b, ana, 1_000_000)
	middle := models.AuditPlace{At: db.Now() + 500_000, Seq: 500_001}
	for _, test := range []struct {
		name  string
		query models.AuditQuery
	}{
		{"first", models.AuditQuery{}},
		{"in the middle", models.AuditQuery{Before: middle}},
		{"newer", models.AuditQuery{After: middle}},
		{"rare action", models.AuditQuery{Action: "Secret rotated"}},
		{"group", models.AuditQuery{Action: "secrets"}},
		{"large group", models.AuditQuery{Action: "tokens"}},
		{"person", models.AuditQuery{Person: "someone"}},
		{"day long ago", models.AuditQuery{From: db.Now() + 1000, To: db.Now() + 90_000}},
		{"person and day", models.AuditQuery{Person: "someone", From: db.Now() + 1000, To: db.Now() + 90_000}},
		{"common text", models.AuditQuery{Text: "bot"}},
		{"rare text", models.AuditQuery{Text: "ending in 77777"}},
		{"no such text", models.AuditQuery{Text: "nothing like it"}},
	} {
		b.Run(test.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := db.AuditPage(b.Context(), ana.TeamID, test.query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("choices", func(b *testing.B) {
		for b.Loop() {
			if _, err := db.AuditChoices(b.Context(), ana.TeamID, 200); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkVerifyAudit counts events, in the log of one team.
func BenchmarkVerifyAudit(b *testing.B) {
	db := storetest.New(b)
	ana := db.Member(b, "northwind", "ana", models.RoleOwner)
	const events = 2000
	for range events {
		if err := db.Refused(b.Context(), ana, "GET /", "forbidden"); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if verdict, err := db.VerifyAudit(b.Context(), ana.TeamID, models.AuditHead{}); err != nil || verdict.Break != nil {
			b.Fatal(verdict, err)
		}
	}
	b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
}
