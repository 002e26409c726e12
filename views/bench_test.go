package views

import (
	"io"
	"testing"

	"github.com/latchkey/latchkey/models"
)

// The most visited page, from rows to HTML: 25 of them.
func BenchmarkApplicationsPage(b *testing.B) {
	page, rows, query := pageOf(models.RoleOwner), longList(1), models.ApplicationQuery{Page: 1}
	if len(rows.Rows) != 25 {
		b.Fatalf("%d rows", len(rows.Rows))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Applications(page, NewApplicationsList(rows, query, models.Attention{}, page.Role, clock)).Render(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
