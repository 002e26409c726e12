package e2e

import (
	"net/url"
	"slices"
	"testing"
)

var themes = []string{"light", "dark"}

// view is one state of one page, as one role sees it.
type view struct {
	name   string
	email  string // empty for signed out
	show   func(p *tab)
	scope  string // where axe looks; empty for everywhere
	status int    // expected, when 400 or more
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, theme := range themes {
		t.Run(theme, func(t *testing.T) {
			t.Parallel()
			p := openTab(t, w.s.base)
			p.scheme(theme)
			who := ""
			views := slices.Concat(
				w.signedOut(),
				w.forgotten(),
				w.ofOwner(theme),
				w.ofOthers(),
				w.ofAccount(),
				w.ofPeople(theme),
				w.ofFactors(),
				w.ofAudit(),
				w.ofAdmin(theme),
				w.ofWarnings(),
				w.ofPlans(),
				w.ofRefused(),
				w.ofUsage(),
			)
			for _, v := range views {
				if v.email != who {
					p.become(w.browserOf(t, v.email))
					who = v.email
				}
				if v.status != 0 {
					p.expect(v.status)
				}
				v.show(p)
				p.look(v.name, v.scope)
			}
		})
	}
}

// browserOf has nobody signed in for an empty email.
func (w *world) browserOf(t *testing.T, email string) *client {
	if email == "" {
		return newClient(t, w.s.base)
	}
	return signIn(t, w.s, email)
}

func opened(target string) func(p *tab) { return func(p *tab) { p.open(target) } }

func (w *world) signedOut() []view {
	return []view{
		{name: "setup", show: opened(w.fresh.setupURL)},
		{name: "setup errors", status: 422, show: func(p *tab) {
			p.open(w.fresh.setupURL)
			for _, field := range []string{"Team name", "Your name"} {
				p.whole().fill(field, "\u200b")
			}
			p.whole().fill("Email", "ana@localhost")
			p.whole().fill("Password", "aaaaaaaaaaaa")
			p.whole().follow("button", "Create account")
			p.at("/setup", "Set up Latchkey")
		}},
		{name: "setup without code", status: 403, show: opened(w.fresh.base + "/setup")},
		{name: "setup wrong code", status: 403, show: opened(w.fresh.base + "/setup?code=x")},
		{name: "login", show: opened("/login")},
		{name: "login error", status: 422, show: func(p *tab) {
			p.open("/login")
			p.whole().fill("Email", "nobody@northwind.example")
			p.whole().fill("Password", "not the password")
			p.whole().follow("button", "Sign in")
			p.sees("do not match")
		}},
		{name: "docs signed out", show: opened("/docs/authorization")},
		{name: "404 signed out", status: 404, show: opened("/nowhere")},
	}
}

func (w *world) ofOthers() []view {
	return []view{
		{name: "list viewer", email: viewerEmail, show: opened(applications)},
		{name: "application viewer", email: viewerEmail, show: opened(w.bot)},
		{name: "tokens viewer", email: viewerEmail, show: opened(tokensPage + "?application=" + idOf(w.bot))},
		{name: "403", email: viewerEmail, status: 403, show: opened(applications + "/new")},
		{name: "list empty", email: loneEmail, show: opened(applications)},
		{name: "tokens empty", email: loneEmail, show: opened(tokensPage)},
	}
}

// ofOwner is all that Ana sees. What changes something changes only the
// application that belongs to this theme.
func (w *world) ofOwner(theme string) []view {
	own := w.own[theme]
	views := []view{
		{name: "list", show: opened(applications)},
		{name: "list page 2", show: opened(applications + "?page=2")},
		{name: "list past end", show: opened(applications + "?page=9")},
		{name: "list search", show: opened(applications + "?q=price")},
		{name: "list no match", show: opened(applications + "?q=nothing")},
		{name: "new", show: opened(applications + "/new")},
		{name: "new errors", status: 422, show: func(p *tab) {
			p.open(applications + "/new")
			p.whole().fill("Name", "\u200b")
			p.whole().choose("Access tokens expire after", "Custom")
			p.whole().fill("Number", "1e9")
			p.whole().follow("button", "Create application")
			p.sees("Enter a name.")
		}},
		{name: "edit", show: opened(w.bot + "/edit")},
		{name: "edit conflict", status: 409, show: func(p *tab) { conflict(p, own) }},
		{name: "application", show: opened(w.bot)},
		{name: "application ended", show: opened(w.bot + "?ended=1")},
		{name: "application long", show: opened(w.long)},
		{name: "application off", show: opened(w.off)},
		{name: "application created", show: func(p *tab) {
			p.open(own)
			d := p.whole().dialog("link", "Generate New Token", "Generate New Token")
			d.follow("button", "Generate New Token")
			p.announces("Token created")
		}},
		{name: "application secret shown", show: func(p *tab) {
			p.open(w.bot)
			p.postForm("button", "Show client secret")
			p.whole().find("link", "Hide client secret")
		}},
		{name: "application token shown", show: func(p *tab) {
			p.open(w.bot)
			p.leave(func() { ask[bool](p.whole().first("button", ""), showForm(w.token)) })
			p.sees("lk_at_")
		}},
		{name: "generate", show: opened(w.bot + "/tokens")},
		{name: "generate errors", status: 422, show: func(p *tab) {
			p.open(w.bot + "/tokens")
			p.whole().choose("Expires after", "Custom")
			p.whole().fill("Number", "9")
			p.whole().choose("Unit", "days")
			p.whole().follow("button", "Generate New Token")
			p.at(w.bot+"/tokens", "Generate New Token")
		}},
		{name: "404", status: 404, show: opened(applications + "/0")},
		{name: "tokens", show: opened(tokensPage + "?application=" + idOf(w.bot))},
		{name: "tokens ended", show: opened(tokensPage + "?ended=1&application=" + idOf(w.bot))},
		{name: "tokens built in", show: func(p *tab) { p.open(tokensPage + "?application=" + idOf(w.builtIn)) }},
		{name: "temporary token shown", show: func(p *tab) {
			p.open(tokensPage)
			p.postForm("button", "Show temporary token")
			p.whole().find("link", "Hide temporary token")
		}},
		{name: "replace temporary", show: opened(tokensPage + "/temporary/replace")},
		{name: "built in", show: opened(w.builtIn)},
		{name: "revoke built in", show: opened(w.builtIn + "/revoke")},
		{name: "tokens none", show: opened(tokensPage + "?application=" + idOf(w.long))},
		{name: "docs", show: opened("/docs/authorization")},
		{name: "confirm identity", show: opened("/confirm?next=" + url.QueryEscape(w.bot))},
	}
	views = append(views, w.confirmations()...)
	views = append(views, w.opened()...)
	for i := range views {
		views[i].email = ownerEmail
	}
	return views
}

// showForm sends the form that shows a value past the script.
func showForm(target string) string {
	return `const form = document.querySelector("form[action='` + target + `/reveal']"); form.submit(); return true`
}

// postForm sends the form around a button past the script.
func (p *tab) postForm(role, name string) {
	p.t.Helper()
	button := p.whole().find(role, name)
	p.leave(func() { ask[bool](button, "this.form.submit(); return true") })
}
