package tokens_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// pasted are the cases that the script is held to as well: see e2e/check_test.go.
func pasted(t *testing.T) []struct {
	Text    string
	Mistake models.Mistake
	Around  []models.Around
	Value   string
} {
	t.Helper()
	var cases []struct {
		Text    string
		Mistake models.Mistake
		Around  []models.Around
		Value   string
	}
	text, err := os.ReadFile("testdata/pasted.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestReadPasted(t *testing.T) {
	seen := map[models.Mistake]bool{"": true}
	for _, c := range pasted(t) {
		seen[c.Mistake] = true
		got := tokens.ReadPasted(c.Text)
		if got.Mistake != c.Mistake || got.Value.Reveal() != c.Value || !slices.Equal(got.Around, c.Around) {
			t.Errorf("%q: %q, around %v, value %q, want %q, %v, %q", c.Text, got.Mistake, got.Around, got.Value.Reveal(), c.Mistake, c.Around, c.Value)
		}
	}
	for _, mistake := range models.Mistakes {
		if !seen[mistake] {
			t.Errorf("no case for %q", mistake)
		}
	}
	for _, value := range append(issue(t, "lk_at_", 50), issue(t, "ory.at-", 50)...) {
		if got := tokens.ReadPasted(value); got.Mistake != "" {
			t.Errorf("a token is taken for %q", got.Mistake)
		}
		if got := tokens.ReadPasted(value[:len(value)-3]); got.Mistake != models.MistakeShort && got.Mistake != models.MistakeDigits && got.Mistake != models.MistakePrefix {
			t.Errorf("a token that was cut is taken for %q", got.Mistake)
		}
	}
}

// Whatever is pasted, what comes out is a part of it, and is read the same again.
func FuzzReadPasted(f *testing.F) {
	for _, seed := range []string{"", " Bearer  \"lk_at_x\" ", "Authorization: Bearer x", strings.Repeat("“", 9), "\xff\u200b", "bearer:bearer:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := tokens.ReadPasted(text)
		value := got.Value.Reveal()
		if !strings.Contains(text, value) {
			t.Errorf("%q gives %q", text, value)
		}
		if again := tokens.ReadPasted(value); again.Mistake != got.Mistake || again.Value.Reveal() != value || len(again.Around) > 0 {
			t.Errorf("%q again: %q, then %q", text, got.Mistake, again.Mistake)
		}
		if got.Mistake == "" && !tokens.WellFormed(value) {
			t.Errorf("%q has the form of a token", value)
		}
	})
}
