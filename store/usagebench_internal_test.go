package store

import (
	"fmt"
	"testing"

	"github.com/latchkey/latchkey/models"
)

// How long a full batch keeps others from writing: 500 counts, of one team or of 100.
func BenchmarkSaveUsage(b *testing.B) {
	for _, teams := range []int{1, 100} {
		b.Run(fmt.Sprint(teams, " teams"), func(b *testing.B) {
			p := newPurse(b)
			plan := p.plan(b, p.ana.TeamID, models.Plan{Name: "Starter", Points: 1 << 40}, 0)
			ids := []string{p.ana.TeamID}
			for i := 1; i < teams; i++ {
				ids = append(ids, p.team(b, fmt.Sprint("Team ", i)).TeamID)
				if err := p.write(b.Context(), p.ana, models.AuditTeamAdded, func(c change) error { return c.grantPlan(ids[i], plan, 0) }); err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			for b.Loop() {
				batch := models.UsageBatch{ID: NewID(), Node: "a", Counts: map[models.UsageKey]models.UsageCount{}, Charged: map[string]int64{}}
				for i := range 500 {
					team := ids[i%teams]
					batch.Counts[models.UsageKey{TeamID: team, Hour: noon, ApplicationID: p.app.ID, TokenID: fmt.Sprint(i), Route: "/v1", API: "v1", Status: 200}] = models.UsageCount{Requests: 2, Points: 2}
					batch.Charged[team] += 2
				}
				p.save(b, batch)
			}
		})
	}
}

// A standing is read twice a second for each team that makes calls.
func BenchmarkStanding(b *testing.B) {
	p := newPurse(b)
	p.plan(b, p.ana.TeamID, models.Plan{Name: "Starter", Points: 1 << 40}, 0)
	for b.Loop() {
		p.stands(b, p.ana.TeamID, 1<<40, 0)
	}
}

func BenchmarkLeasePoints(b *testing.B) {
	p := newPurse(b)
	p.plan(b, p.ana.TeamID, models.Plan{Name: "Starter", Points: 1 << 40}, 0)
	for b.Loop() {
		p.lease(b, "a", 1000, 1000, 1<<40-1000)
	}
}
