package e2e

import (
	"net/http"
	"strings"
	"testing"
)

func TestDoublePressSubmitsOnce(t *testing.T) {
	t.Parallel()
	p, ana, app := signedIn(t)
	p.open(applications)
	d := p.whole().dialog("link", "New Application", "New application")
	d.fill("Name", "Alerts")
	button := d.find("button", "Create application")
	p.leave(func() { ask[bool](button, "this.click(); this.click(); this.click(); return true") })
	p.announces("Alerts was created.")
	if n := p.posts(applications); n != 1 {
		t.Errorf("the form was sent %d times, want once", n)
	}
	p.open(app)
	d = p.whole().dialog("link", "Generate New Token", "Generate New Token")
	button = d.find("button", "Generate New Token")
	p.leave(func() { ask[bool](button, "this.click(); this.click(); return true") })
	if n := p.posts(app + "/tokens"); n != 1 {
		t.Errorf("the form was sent %d times, want once", n)
	}
	if page := ana.get(app).body; strings.Count(page, "/reveal") != 3 { // two tokens, one secret
		t.Error("a double press made two tokens")
	}
}

// TestFormPostedTwice sends the same form again past the script.
func TestFormPostedTwice(t *testing.T) {
	t.Parallel()
	p, ana, app := signedIn(t)
	p.open(app + "/tokens")
	fields := eval[[]string](p, `[...new FormData(document.querySelector("main form"))].map(([k, v]) => k + "=" + encodeURIComponent(v))`)
	for range 2 {
		got := ana.do(ana.request(http.MethodPost, app+"/tokens", strings.Join(fields, "&")))
		if got.status != http.StatusOK {
			t.Errorf("posting the form: %d", got.status)
		}
	}
	if n := number(t, ana.dir, "SELECT count(*) FROM tokens"); n != 2 {
		t.Errorf("the form made %d tokens, want 1", n-1)
	}
}

func TestTwoTabsEditing(t *testing.T) {
	t.Parallel()
	p, _, app := signedIn(t)
	other := p.beside()
	for _, tab := range []*tab{p, other} {
		tab.open(app)
		tab.whole().dialog("link", "Edit name and token lifespan", "Edit Trading bot")
	}
	p.whole().fill("Name", "First")
	p.whole().follow("button", "Save changes")
	p.announces("The changes to First were saved.")

	other.expect(http.StatusConflict)
	other.whole().fill("Name", "Second")
	other.whole().choose("Access tokens expire after", "30 days")
	other.whole().follow("button", "Save changes")
	other.sees("Someone else changed it meanwhile")
	other.sees("Its name is now First")
	if got := other.whole().find("textbox", "Name").value(); got != "Second" {
		t.Errorf("the second tab's name is %q, want what was typed", got)
	}
	if got := other.whole().find("combobox", "Access tokens expire after").value(); got != "2592000" {
		t.Errorf("the second tab's lifespan is %s, want what was chosen", got)
	}
	p.open(app)
	p.at(app, "First") // not overwritten
	other.whole().follow("button", "Save changes")
	other.announces("The changes to Second were saved.")
	other.at(app, "Second")
}

func TestNamesTaken(t *testing.T) {
	t.Parallel()
	p, ana, _ := signedIn(t)
	ana.create("Émile")
	p.expect(http.StatusUnprocessableEntity)
	for name, want := range map[string]string{
		"TRADING BOT": "Your team already has an application called",
		" émile ":     "Your team already has an application called",
		"\u202e":      "Leave out control and text-direction characters.",
		"   ":         "Enter a name.",
		"\u200b":      "Enter a name.",

		strings.Repeat("x", 65): "Use at most 64 characters.",
	} {
		p.open(applications + "/new")
		p.whole().fill("Name", name)
		p.whole().follow("button", "Create application")
		p.sees(want)
		field := p.whole().find("textbox", "Name")
		if got := field.value(); got != name {
			t.Errorf("the form comes back with the name %q, want %q", got, name)
		}
		if got := ask[string](field, `return document.getElementById(this.getAttribute("aria-describedby").split(" ").pop()).innerText`); !strings.Contains(got, want) {
			t.Errorf("the field %q is described by %q", name, got)
		}
	}
}
