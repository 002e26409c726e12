package views

import (
	"testing"

	"github.com/latchkey/latchkey/models"
)

func TestErrorViews(t *testing.T) {
	for status, want := range map[int]struct {
		heading string
		id      bool
	}{
		400: {"Latchkey did not understand that", false},
		403: {"You cannot do that", false},
		404: {"Page not found", false},
		409: {"It changed in the meantime", false},
		413: {"That is too much", false},
		418: {"Latchkey did not understand that", false},
		429: {"Too many requests", false},
		500: {"Something went wrong", true},
		502: {"Something went wrong", true},
		503: {"Latchkey cannot answer just now", true},
	} {
		got := NewErrorView(status, models.RoleViewer, "ID")
		if got.Heading != want.heading || (got.RequestID != "") != want.id || got.Text == "" {
			t.Errorf("%d: %+v", status, got)
		}
	}
}
