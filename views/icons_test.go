package views

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

var (
	iconDrawn = regexp.MustCompile(`<symbol id="([\w-]+)"`)
	iconShown = regexp.MustCompile(`/icons\.svg#([\w-]+)"`)
)

// TestIcons holds the sprite to what the pages show: an icon that is missing leaves a
// hole, one too many is loaded by everybody for nothing.
func TestIcons(t *testing.T) {
	sprite, err := os.ReadFile("../static/icons/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	drawn := names(iconDrawn, sprite)
	shown := []string{auditIcon("Token shown"), auditIcon("Token revoked"), auditIcon("Secret rotated"), auditIcon("Sign-in failed"), auditIcon("Webhook set")}
	for _, component := range goldens() {
		shown = append(shown, names(iconShown, render(t, component))...)
	}
	slices.Sort(shown)
	for _, name := range slices.Compact(shown) {
		if !slices.Contains(drawn, name) {
			t.Errorf("%s is not in icons.svg", name)
		}
	}
	for _, name := range drawn {
		if !slices.Contains(shown, name) {
			t.Errorf("no page shows %s", name)
		}
	}
}

func names(pattern *regexp.Regexp, text []byte) []string {
	var found []string
	for _, match := range pattern.FindAllSubmatch(text, -1) {
		found = append(found, string(match[1]))
	}
	return found
}
