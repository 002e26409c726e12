package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
)

// TestHostileNames sees names that look like code as text wherever a name
// stands. A script that runs opens a dialog, which fails the test.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{
		`"><svg onload=alert(1)>`, `</title><script>alert(1)</script>`, `' onfocus=alert(1) autofocus='`, "`${alert(1)}`",
		"\u05d0\u05d1 \u05d2", strings.Repeat("🦉", 64), `.*[](\d)+$^|`, "&lt;b&gt; &amp;",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, ana := owner(t)
			p := openTab(t, s.base)
			p.become(ana)
			p.open(applications)
			d := p.whole().dialog("link", "New Application", "New application")
			d.fill("Name", name)
			d.follow("button", "Create application")
			app := p.path()
			p.announces(name + " was created.")
			p.at(app, name)
			d = p.whole().dialog("link", "Generate New Token", "Generate New Token")
			d.fill("Name (optional)", name)
			d.follow("button", "Generate New Token")
			p.whole().find("rowheader", name)
			p.open(tokensPage)
			p.sees("Tokens of " + name)
			for link, title := range map[string]string{
				"Revoke all tokens of " + name: "Revoke all tokens of " + name + "?", "Delete " + name: "Delete " + name + "?",
			} {
				p.open(applications)
				p.whole().find("link", name)
				p.whole().dialog("link", link, title)
			}
			p.open(applications)
			p.whole().search(name)
			p.whole().find("link", name)
			d = p.whole().dialog("link", "Delete "+name, "Delete "+name+"?")
			d.fill("Type "+name+" to confirm", name)
			d.follow("button", "Delete application")
			p.announces(name + " was deleted.")
		})
	}
}

// TestOtherSites lets pages elsewhere send forms here and put Latchkey in a
// frame. One stands on another port of the same host, to which the browser
// gives the session cookie along; the other on another host.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	p, ana, app := signedIn(t)
	token := ana.reveal(ana.generate(app, "kept"))
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		body := `<iframe src="` + p.base + r.URL.Query().Get("at") + `"></iframe>`
		if r.URL.Path == "/form" {
			body = `<form method="post" action="` + p.base + r.URL.Query().Get("at") + `"><input name="name" value="Evil"><input name="lifespan" value="3600">` +
				`<input name="confirm" value="Trading bot"></form><script>document.forms[0].submit()</script>`
		}
		_, _ = w.Write([]byte(`<!DOCTYPE html><link rel="icon" href="data:,"><title>Elsewhere</title>` + body))
	}))
	t.Cleanup(site.Close)
	p.expect(http.StatusForbidden)
	elsewhere := strings.Replace(site.URL, "127.0.0.1", "localhost", 1)
	for _, origin := range []string{site.URL, elsewhere} {
		for _, target := range []string{applications, app, app + "/tokens", app + "/revoke", app + "/delete", app + "/secret", app + "/secret/reveal", app + "/disable", "/logout", "/login", "/theme"} {
			call(p, page.Navigate, page.NavigateParams{URL: origin + "/form?at=" + url.QueryEscape(target)})
			p.at(target, "That came from another site")
		}
	}
	p.open(applications)
	p.whole().find("link", "Trading bot") // still signed in, nothing changed
	p.whole().lacks("link", "Evil")
	ana.wantGood(token)
	if n := number(t, ana.dir, "SELECT count(*) FROM tokens WHERE revoked_at = 0"); n != 2 {
		t.Errorf("%d active tokens, want 2", n)
	}
	for _, target := range []string{"/login", applications, "/docs/authorization"} {
		notFramed(p, site.URL+"/frame?at="+url.QueryEscape(target))
		notFramed(p, elsewhere+"/frame?at="+url.QueryEscape(target))
	}
}

// notFramed opens a page with a frame and wants the browser to refuse what is
// in it, and to say so.
func notFramed(p *tab, address string) {
	p.t.Helper()
	p.open(address)
	refused := false
	eventually(p.t, func() string {
		for _, fault := range p.takeFaults() {
			if !strings.Contains(fault, `"frame-ancestors 'none'"`) {
				return fault
			}
			refused = true
		}
		if !refused {
			return address + " shows Latchkey in a frame"
		}
		return ""
	})
}
