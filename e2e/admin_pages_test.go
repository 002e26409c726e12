package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/mail/mailtest"
)

const (
	operatorEmail = "olga@operations.example"
	shutOutEmail  = "sam@contoso.example"
)

// administration is what the pages of operators need to show all that they have.
type administration struct {
	mailed *server // a program that sends mail
	link   string  // an open link to set a password there
	signUp string  // an open link to make an account there
	// Paths. server is for one theme alone to change.
	user, team string
	server     map[string]string
}

func newAdministration(t testing.TB, s *server) administration {
	t.Helper()
	addUser(t, s.dir, operatorEmail, "Olga Brandt", "Operations", "owner")
	addUser(t, s.dir, shutOutEmail, "Sam Osei", "Contoso", "owner")
	change(t, s.dir, "UPDATE users SET operator = 1 WHERE email = ?", operatorEmail)
	olga := signIn(t, s, operatorEmail)
	a := administration{server: map[string]string{}}
	a.user = pathIn(t, olga.get("/admin/users?q=sam@").body, "/admin/users/")
	a.team = pathIn(t, olga.get("/admin/teams?q=northwind").body, "/admin/teams/")
	contoso := pathIn(t, olga.get("/admin/teams?q=contoso").body, "/admin/teams/")
	olga.deed(contoso+"/suspend", url.Values{"reason": {strings.Repeat("W", 120) + " unpaid since " + strings.Repeat("M", 60)}})
	for _, name := range append(themes, strings.Repeat("W", 64)) {
		got := olga.post("/admin/resource-servers/new", url.Values{"name": {name}})
		if got.status != http.StatusOK || !strings.Contains(got.body, "shown once") {
			t.Fatalf("adding a resource server: %d", got.status)
		}
		before, _, _ := strings.Cut(olga.get("/admin/resource-servers").body, ">Rotate secret<span class=\"sr-only\"> of "+name)
		at := strings.LastIndex(before, "/admin/resource-servers/")
		if at < 0 {
			continue
		}
		a.server[name], _, _ = strings.Cut(before[at:], "/rotate")
	}
	a.startMailed(t)
	return a
}

// startMailed starts a program with a mail server, where Ana has asked for a link and Sam for an account.
func (a *administration) startMailed(t testing.TB) {
	t.Helper()
	postbox := (&mailtest.Server{}).Start(t, "")
	dir := t.TempDir()
	addUser(t, dir, ownerEmail, "Ana Ruiz", "Northwind", "owner")
	a.mailed = startIn(t, dir, "--smtp-url", postbox.URL(), "--signup", "open")
	newClient(t, a.mailed.base).post("/forgot", url.Values{"email": {ownerEmail}})
	a.link = linkIn(t, postbox.Next(t))
	newClient(t, a.mailed.base).post("/signup", url.Values{"name": {"Sam Osei"}, "email": {shutOutEmail}, "team": {strings.Repeat("W", 64)}})
	a.signUp = linkIn(t, postbox.Next(t))
}

// pathIn is the first path in a page that goes on from prefix.
func pathIn(t testing.TB, body, prefix string) string {
	t.Helper()
	for rest := body; ; {
		_, after, ok := strings.Cut(rest, `"`+prefix)
		if !ok {
			t.Fatalf("no path %s… in the page", prefix)
		}
		path, _, _ := strings.Cut(after, `"`)
		if path != "new" && !strings.HasPrefix(path, "?") {
			return prefix + path
		}
		rest = after
	}
}

// linkIn is the address that stands on a line of its own.
func linkIn(t testing.TB, m mailtest.Mail) string {
	t.Helper()
	for line := range strings.SplitSeq(m.Text, "\n") {
		if strings.Contains(line, "?code=") {
			return line
		}
	}
	t.Fatalf("no link in %q", m.Text)
	return ""
}

// ofAdmin is what operators see, and what others do not.
func (w *world) ofAdmin(theme string) []view {
	a := w.admin
	views := []view{
		{name: "admin teams", show: opened("/admin/teams")},
		{name: "admin teams no match", show: opened("/admin/teams?q=nothing")},
		{name: "admin new team", show: opened("/admin/teams/new")},
		{name: "admin new team errors", status: 422, show: func(p *tab) {
			p.open("/admin/teams/new")
			for _, field := range []string{"Team name", "Owner’s name"} {
				p.whole().fill(field, "\u200b")
			}
			p.whole().fill("Owner’s email", "ana@localhost")
			p.whole().follow("button", "Create team")
			p.sees("Enter a name.")
		}},
		{name: "admin suspend", show: opened(a.team + "/suspend")},
		{name: "admin users", show: opened("/admin/users")},
		{name: "admin user", show: opened(a.user)},
		{name: "admin user disable", show: opened(a.user + "/disable")},
		{name: "admin user operator", show: opened(a.user + "/operator")},
		{name: "admin user link", show: opened(a.user + "/link")},
		{name: "admin user link shown", show: func(p *tab) {
			p.open(a.user + "/link")
			p.whole().follow("button", "Show link")
			p.sees("This is shown once.")
		}},
		{name: "admin resource servers", show: opened("/admin/resource-servers")},
		{name: "admin new resource server", show: opened("/admin/resource-servers/new")},
		{name: "admin resource server remove", show: opened(a.server[theme] + "/remove")},
		{name: "admin resource server secret", show: func(p *tab) {
			p.open(a.server[theme] + "/rotate")
			p.whole().follow("button", "Rotate secret")
			p.sees("This is shown once.")
		}},
		{name: "admin server", show: opened("/admin/server")},
		{name: "dialog suspend", show: func(p *tab) {
			p.open("/admin/teams?q=northwind")
			p.whole().dialog("link", "Suspend Northwind", "Suspend Northwind?")
		}},
	}
	for i := range views {
		views[i].email = operatorEmail
	}
	return append(views,
		view{name: "403 administration", email: ownerEmail, status: 403, show: opened("/admin/teams")},
	)
}

// forgotten is what whoever has forgotten a password sees.
func (w *world) forgotten() []view {
	a := w.admin
	return []view{
		{name: "signup with mail", show: opened(a.mailed.base + "/signup")},
		{name: "signup finish", show: opened(a.signUp)},
		{name: "signup finish errors", status: 422, show: func(p *tab) {
			p.open(a.signUp)
			p.whole().fill("Password", "password1234")
			p.whole().follow("button", "Create account")
			p.sees("This password is on lists of leaked passwords.")
		}},
		{name: "login with mail", show: opened(a.mailed.base + "/login")},
		{name: "forgot", show: opened(a.mailed.base + "/forgot")},
		{name: "forgot sent", show: func(p *tab) {
			p.open(a.mailed.base + "/forgot")
			p.whole().fill("Email", "nobody@northwind.example")
			p.whole().follow("button", "Send link")
			p.sees("a link is on its way there")
		}},
		{name: "reset", show: opened(a.link)},
		{name: "reset errors", status: 422, show: func(p *tab) {
			p.open(a.link)
			p.whole().fill("New password", "aaaaaaaaaaaa")
			p.whole().follow("button", "Set password and sign in")
			p.sees("Set a new password")
		}},
		{name: "reset gone", status: 404, show: opened(a.mailed.base + "/reset?code=x")},
	}
}
