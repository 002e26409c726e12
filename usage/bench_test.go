package usage_test

import (
	"fmt"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/usage"
)

// What a call costs that passes: all limits looked at, points kept, charged and counted.
func BenchmarkAdmitAndDone(b *testing.B) {
	for name, plan := range map[string]models.Plan{
		"no plan": {}, "points": {Name: "Pro", RateLimit: 0}, "points and rate": {Name: "Pro", RateLimit: 1 << 40},
	} {
		b.Run(name, func(b *testing.B) {
			m := newFake(plan, 1<<50).meter(b)
			defer closing(b, m)
			b.ReportAllocs()
			for b.Loop() {
				permit, err := m.Admit(b.Context(), call)
				if err != nil {
					b.Fatal(err)
				}
				permit.Done(200, usage.CostOfRoute)
			}
		})
	}
}

// Many teams at once, and one team from everywhere.
func BenchmarkAdmitAndDoneParallel(b *testing.B) {
	for _, teams := range []int{1, 1000} {
		b.Run(fmt.Sprint(teams, " teams"), func(b *testing.B) {
			m := newFake(models.Plan{Name: "Pro", RateLimit: 1 << 40}, 1<<50).meter(b)
			defer closing(b, m)
			names := make([]string, teams)
			for i := range names {
				names[i] = fmt.Sprint("team ", i)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				c := call
				for i := 0; pb.Next(); i++ {
					c.TeamID = names[i%teams]
					permit, err := m.Admit(b.Context(), c)
					if err != nil {
						b.Error(err)
						return
					}
					permit.Done(200, usage.CostOfRoute)
				}
			})
		})
	}
}

// A stream asks four times a second.
func BenchmarkRecheck(b *testing.B) {
	m := newFake(models.Plan{Name: "Pro"}, 1<<50).meter(b)
	defer closing(b, m)
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Recheck(b.Context(), call); err != nil {
			b.Fatal(err)
		}
	}
}
