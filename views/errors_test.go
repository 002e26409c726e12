package views

import (
	"testing"

	"github.com/latchkey/latchkey/models"
)

func TestErrorViews(t *testing.T) {
	for status, want := range map[int]string{
		400: "Latchkey did not understand that",
		403: "You cannot do that",
		404: "Page not found",
		409: "It changed in the meantime",
		413: "That is too much",
		418: "Latchkey did not understand that",
		429: "Too many requests",
		500: "Something went wrong",
		502: "Something went wrong",
		503: "Latchkey cannot answer just now",
	} {
		got := NewErrorView(status, models.RoleViewer, "ID")
		if got.Heading != want || got.RequestID != "ID" || got.Text == "" {
			t.Errorf("%d: %+v", status, got)
		}
	}
}
