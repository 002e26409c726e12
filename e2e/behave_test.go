package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// signedIn opens a page of a new program, with the application Trading bot and
// one token of it.
func signedIn(t *testing.T) (p *tab, ana *client, app string) {
	t.Helper()
	s, ana := owner(t)
	app = ana.create("Trading bot")
	ana.generate(app, "laptop")
	p = openTab(t, s.base)
	p.become(ana)
	return p, ana, app
}

func TestCopyAndShow(t *testing.T) {
	t.Parallel()
	p, ana, app := signedIn(t)
	p.open(app)
	clientID, secret := ana.clientIDOf(app), ana.reveal(app+"/secret")
	if got := p.whole().copied("Copy client ID", "Client ID copied"); got != clientID {
		t.Errorf("Copy client ID copied %q, want %q", got, clientID)
	}
	if got := p.whole().copied("Copy client secret", "Client secret copied"); got != secret {
		t.Errorf("Copy client secret copied %q, want the secret", got)
	}
	code := p.whole().copied("Copy code", "Code copied")
	if !strings.Contains(code, `"client_secret=`+secret+`"`) || !strings.Contains(code, `"client_id=`+clientID+`"`) || strings.Contains(code, "•") {
		t.Errorf("Copy code copied without the values:\n%s", code)
	}
	p.hides(secret)
	showAndHide(p, "client secret", secret)
	p.whole().click("button", "Show client secret")
	p.sees("client_secret=" + secret)
	p.whole().follow("link", "Applications")
	p.back()
	p.hides(secret) // nothing stays behind in a page that comes back
	p.whole().find("button", "Show client secret")

	p.open(applications)
	if got := p.whole().copied("Copy client ID of Trading bot", "Client ID copied"); got != clientID {
		t.Errorf("in the list, Copy copied %q, want the whole client ID", got)
	}
	p.open("/docs/authorization")
	p.whole().find("region", "Get a token, curl")
}

func TestDialogs(t *testing.T) {
	t.Parallel()
	p, _, app := signedIn(t)
	for _, c := range []struct{ on, link, title, role, focus string }{
		{applications, "New Application", "New application", "textbox", "Name"},
		{applications, "Revoke all tokens of Trading bot", "Revoke all tokens of Trading bot?", "link", "Cancel"},
		{applications, "Delete Trading bot", "Delete Trading bot?", "textbox", "Type Trading bot to confirm"},
		{app, "Generate New Token", "Generate New Token", "textbox", "Name (optional)"},
		{app, "Edit name and token lifespan", "Edit Trading bot", "textbox", "Name"},
		{app, "Rotate secret", "Rotate the client secret?", "radio", ""},
		{app, "Switch off", "Switch off Trading bot?", "link", "Cancel"},
		{app, "Delete application", "Delete Trading bot?", "textbox", "Type Trading bot to confirm"},
		{tokensPage, "Generate New Token", "Generate New Token", "textbox", "Name (optional)"},
	} {
		p.open(c.on)
		opener := p.whole().find("link", c.link)
		d := p.whole().dialog("link", c.link, c.title)
		if c.focus != "" {
			p.wantFocus(c.role, c.focus)
		}
		if !ask[bool](d, "return this.contains(document.activeElement)") {
			t.Errorf("%s: the focus is not inside", c.title)
		}
		p.press(kb.Escape)
		p.wantNoDialog()
		if !opener.focused() {
			t.Errorf("%s: the focus does not return to its opener", c.title)
		}
		d = p.whole().dialog("link", c.link, c.title)
		d.click("link", "Cancel")
		p.wantNoDialog()
		p.whole().dialog("link", c.link, c.title)
		p.clickAt(5, 450) // the page behind it
		p.wantNoDialog()
	}
}

func TestMenusCloseOutside(t *testing.T) {
	t.Parallel()
	p, _, app := signedIn(t)
	p.open(app)
	p.whole().click(menuRole, "Account: Ana Ruiz")
	p.whole().find("button", "Sign out")
	p.clickAt(700, 600)
	p.whole().lacks("button", "Sign out")
	p.whole().click(menuRole, "Authorization")
	menu := p.whole().find("navigation", "Main")
	link := menu.find("link", "Applications")
	if got := ask[string](link, `return this.getAttribute("aria-current") ?? ""`); got == "page" {
		t.Error("a page below Applications is marked as Applications itself")
	}
	p.clickAt(700, 600)
	menu.lacks("link", "Applications")
	for target, name := range map[string]string{applications: "Applications", tokensPage: "Tokens"} {
		p.open(target)
		p.whole().click(menuRole, "Authorization")
		if got := ask[string](p.whole().find("navigation", "Main").find("link", name), `return this.getAttribute("aria-current")`); got != "page" {
			t.Errorf("%s: aria-current is %q, want page", name, got)
		}
	}
}

func TestTheme(t *testing.T) {
	t.Parallel()
	p, _, app := signedIn(t)
	p.scheme("light")
	p.open(app)
	shade := func() string { return eval[string](p, "getComputedStyle(document.body).backgroundColor") }
	light, loaded := shade(), p.loader()
	p.whole().click(menuRole, "Account: Ana Ruiz")
	p.whole().click("button", "Dark")
	dark := shade()
	if dark == light || p.loader() != loaded {
		t.Errorf("Dark: background %s, then %s; the page was loaded again: %t", light, dark, p.loader() != loaded)
	}
	if got := ask[string](p.whole().find("button", "Dark"), `return this.getAttribute("aria-pressed")`); got != "true" {
		t.Errorf("aria-pressed of Dark: %s", got)
	}
	eventually(t, func() string {
		p.open(app)
		if shade() != dark || eval[string](p, "document.documentElement.dataset.theme ?? ''") != "dark" {
			return "the theme is not kept when the page is loaded again"
		}
		return ""
	})
	p.whole().click(menuRole, "Account: Ana Ruiz")
	p.whole().click("button", "System")
	if shade() != light {
		t.Errorf("System: background %s, want %s", shade(), light)
	}
	p.scheme("dark")
	if shade() != dark {
		t.Errorf("System, on a dark system: background %s, want %s", shade(), dark)
	}
}

// TestTabStops walks pages with the Tab key: every stop shows a ring.
func TestTabStops(t *testing.T) {
	t.Parallel()
	p, ana, app := signedIn(t)
	for _, target := range []string{applications, app, tokensPage, "/docs/authorization", app + "/delete", app + "/secret", applications + "/new", profilePage} {
		p.open(target)
		if n := p.stops(); n < 5 {
			t.Errorf("%s has only %d stops", target, n)
		}
	}
	ana.post("/logout", nil)
	p.open("/login")
	if n := p.stops(); n < 3 {
		t.Errorf("/login has only %d stops", n)
	}
}

// TestProofOfIdentity asks for a value long after the sign-in.
func TestProofOfIdentity(t *testing.T) {
	t.Parallel()
	p, ana, app := signedIn(t)
	secret := ana.reveal(app + "/secret")
	change(t, ana.dir, "UPDATE sessions SET proven_at = proven_at - 16 * 60 * 1000")
	p.open(app)
	p.expect(http.StatusForbidden, http.StatusUnprocessableEntity)
	p.leave(p.whole().find("button", "Show client secret").tap)
	p.at("/confirm", "Confirm it is you")
	p.hides(secret)
	p.whole().fill("Password", "not the password")
	p.whole().follow("button", "Confirm")
	p.sees("That is not your password.")
	p.whole().fill("Password", password)
	p.whole().follow("button", "Confirm")
	p.at("/confirm", "Trading bot") // the deed went on
	p.sees(secret)
}
