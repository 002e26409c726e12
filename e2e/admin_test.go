package e2e

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/mail/mailtest"
)

// An operator in a browser: a team is made, its owner sets a password by the link that
// came by mail, the team is suspended and resumed, the owner disabled.
func TestAdministration(t *testing.T) {
	t.Parallel()
	postbox := (&mailtest.Server{TLS: true, Auth: true}).Start(t, "")
	dir := t.TempDir()
	addUser(t, dir, operatorEmail, "Olga Brandt", "Operations", "owner")
	change(t, dir, "UPDATE users SET operator = 1 WHERE email = ?", operatorEmail)
	ca := dir + "/ca.pem"
	must(t, os.WriteFile(ca, postbox.CA, 0o600))
	s := startIn(t, dir, "--smtp-url", postbox.URL(), "--smtp-ca", ca)
	olga := openTab(t, s.base)
	olga.become(signIn(t, s, operatorEmail))

	olga.open(applications)
	olga.whole().follow("link", "Administration")
	olga.at("/admin/teams", "Administration")
	d := olga.whole().dialog("link", "New Team", "New team")
	d.fill("Team name", "Fabrikam")
	d.fill("Owner’s name", "Fay Adeyemi")
	d.fill("Owner’s email", "fay@fabrikam.example")
	d.follow("button", "Create and mail the link")
	olga.at("/admin/teams", "Administration")
	olga.announces("A link to set a password is on its way to fay@fabrikam.example.")
	mailed := postbox.Next(t)
	if mailed.To != "fay@fabrikam.example" || !mailed.TLS || !mailed.SignedIn {
		t.Errorf("%+v", mailed)
	}

	fay := openTab(t, s.base)
	fay.open(linkIn(t, mailed))
	fay.at("/reset", "Set a new password")
	fay.whole().fill("New password", password)
	fay.whole().follow("button", "Set password and sign in")
	fay.at(applications, "Applications")
	fay.expect(http.StatusNotFound)
	fay.open(linkIn(t, mailed))
	fay.sees("This link does not work")

	program := signIn(t, s, "fay@fabrikam.example")
	app := program.create("Bot")
	token := program.reveal(program.generate(app, ""))
	program.wantGood(token)
	d = olga.whole().dialog("link", "Suspend Fabrikam", "Suspend Fabrikam?")
	d.fill("Reason (optional)", "Unpaid since May")
	d.follow("button", "Suspend team")
	olga.announces("Fabrikam is suspended.")
	program.wantRefused(token)
	fay.expect(http.StatusForbidden)
	fay.open(applications)
	fay.at(applications, "Fabrikam is suspended")
	fay.sees("Unpaid since May")
	olga.whole().follow("button", "Resume Fabrikam")
	olga.announces("Fabrikam goes on.")
	program.wantGood(token)
	fay.open(applications)
	fay.at(applications, "Applications")

	olga.whole().follow("link", "Users")
	olga.whole().follow("link", "Fay Adeyemi")
	d = olga.whole().dialog("link", "Disable account", "Disable Fay Adeyemi?")
	d.follow("button", "Disable account")
	olga.announces("The account of Fay Adeyemi is disabled.")
	fay.open(applications)
	fay.at("/login", "Sign in")
	program.wantGood(token)

	olga.whole().follow("link", "Administration")
	olga.whole().follow("link", "Server")
	olga.whole().follow("button", "Send test mail")
	olga.announces("The mail server took the test mail.")
	got := postbox.Next(t)
	for got.To != operatorEmail { // others were told of a new browser
		got = postbox.Next(t)
	}
	if !strings.Contains(got.Head.Get("Subject"), "Test mail") {
		t.Errorf("%+v", got)
	}
	olga.hides(url.QueryEscape(mailtest.Password))
	olga.hides(mailtest.Password)
	s.Stop()
	for _, canary := range []string{mailtest.Password, strings.TrimPrefix(linkIn(t, mailed), s.base+"/reset?code="), password} {
		if strings.Contains(s.Said(), canary) {
			t.Errorf("the log holds %q", canary)
		}
	}
}

// A secret of a resource server is shown once, and gone when the page is left.
func TestResourceServerPages(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	change(t, s.dir, "UPDATE users SET operator = 1 WHERE email = ?", ownerEmail)
	token := ana.reveal(ana.generate(ana.create("Bot"), ""))
	p := openTab(t, s.base)
	p.become(ana)
	p.open("/admin/resource-servers")
	d := p.whole().dialog("link", "Add resource server", "Add resource server")
	d.fill("Name", "Price API")
	d.follow("button", "Add resource server")
	p.at("/admin/resource-servers/new", "Resource server credentials")
	values := eval[[]string](p, `[...document.querySelectorAll(".value-box code")].map((e) => e.textContent)`)
	if len(values) != 2 || !strings.HasPrefix(values[1], "lk_cs_") {
		t.Fatal(values)
	}
	introspect := func() string {
		return ana.post("/oauth2/introspect", url.Values{"client_id": {values[0]}, "client_secret": {values[1]}, "token": {token}}).body
	}
	if got := introspect(); !strings.Contains(got, `"active":true`) {
		t.Error(got)
	}
	p.whole().follow("link", "Done")
	p.at("/admin/resource-servers", "Administration")
	p.hides("lk_cs_")
	d = p.whole().dialog("link", "Remove Price API", "Remove Price API?")
	d.follow("button", "Remove resource server")
	p.announces("Price API was removed.")
	if got := introspect(); !strings.Contains(got, "invalid_client") {
		t.Error(got)
	}
}
