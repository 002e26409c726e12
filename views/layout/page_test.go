package layout

import "testing"

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"Ana Ruiz": "AR", "ana": "A", "Ana María de la Cruz": "AC", "": "", "  ": "", "élodie 李": "É李",
	} {
		if got := (User{Name: name}).Initials(); got != want {
			t.Errorf("initials of %q: %q, want %q", name, got, want)
		}
	}
}

func TestThemeButtons(t *testing.T) {
	for theme, want := range map[string]string{"": "system", "light": "light", "dark": "dark"} {
		for _, b := range (Page{Theme: theme}).themes() {
			if (b.Pressed == "true") != (b.Value == want) {
				t.Errorf("theme %q: %s is %s", theme, b.Value, b.Pressed)
			}
		}
	}
}

func TestNavCurrent(t *testing.T) {
	items := navGroups[0].items
	for _, c := range []struct {
		at           Nav
		apps, tokens string
		group        bool
	}{
		{NavNone, "", "", false},
		{NavApplications, "page", "", true},
		{NavApplicationsBelow, "true", "", true},
		{NavTokens, "", "page", true},
		{NavTokensBelow, "", "true", true},
		{NavDocs, "", "", false},
	} {
		if got := items[0].current(c.at); got != c.apps {
			t.Errorf("nav %d, Applications: %q, want %q", c.at, got, c.apps)
		}
		if got := items[1].current(c.at); got != c.tokens {
			t.Errorf("nav %d, Tokens: %q, want %q", c.at, got, c.tokens)
		}
		if got := navGroups[0].current(c.at); got != c.group {
			t.Errorf("nav %d, group: %v, want %v", c.at, got, c.group)
		}
	}
}
