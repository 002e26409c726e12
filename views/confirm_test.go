package views

import (
	"regexp"
	"testing"

	"github.com/latchkey/latchkey/models"
)

func TestPlurals(t *testing.T) {
	for n, want := range map[int64]struct{ fact, lead, submit, off string }{
		0:    {"", "It has no active tokens now. Any that it gets before you go on stop working at once.", "Revoke tokens", ""},
		1:    {"Its 1 active token stops working at once.", "The 1 active token stops working at once. The application stays, and it can issue new tokens.", "Revoke 1 token", "Its 1 active token is refused at once."},
		3:    {"Its 3 active tokens stop working at once.", "The 3 active tokens stop working at once. The application stays, and it can issue new tokens.", "Revoke 3 tokens", "Its 3 active tokens are refused at once."},
		1204: {"Its 1,204 active tokens stop working at once.", "The 1,204 active tokens stop working at once. The application stays, and it can issue new tokens.", "Revoke 1,204 tokens", "Its 1,204 active tokens are refused at once."},
	} {
		row := models.ApplicationRow{ActiveTokens: n}
		revoke := NewConfirmRevokeAll(row)
		if got := NewConfirmDelete(row, "", false).TokensFact; got != want.fact {
			t.Errorf("%d, delete: %q", n, got)
		}
		if revoke.Lead != want.lead || revoke.Submit != want.submit {
			t.Errorf("%d, revoke: %q, %q", n, revoke.Lead, revoke.Submit)
		}
		if got := NewConfirmSwitchOff(row).TokensFact; got != want.off {
			t.Errorf("%d, switch off: %q", n, got)
		}
	}
}

func TestThePatternMatchesTheNameAlone(t *testing.T) {
	for _, name := range append(hostileNames, `a.b*(c)[d]{2}^$|\+?`) {
		row := models.ApplicationRow{Application: models.Application{Name: name}}
		pattern := regexp.MustCompile("^(?:" + NewConfirmDelete(row, "", false).Pattern + ")$")
		if !pattern.MatchString(name) || pattern.MatchString(name+"x") {
			t.Errorf("%q: %s", name, pattern)
		}
	}
}

func TestRotateChoices(t *testing.T) {
	for overlap, want := range map[string]string{"": "0", "0": "0", "3600": "3600", "86400": "86400", "17": ""} {
		checked := ""
		for _, choice := range NewConfirmRotate(detail(), overlap, "", nil, clock).Choices {
			if choice.Checked {
				checked += choice.Value
			}
		}
		if checked != want {
			t.Errorf("overlap %q: %q checked, want %q", overlap, checked, want)
		}
	}
}
