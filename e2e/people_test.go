package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"github.com/latchkey/latchkey/mail/mailtest"
)

// TestPeople takes two people through a team: invited, joined in a second browser, another
// role, another team, removed, and what was seen mended.
func TestPeople(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	app := ana.create("Trading bot")
	addUser(t, s.dir, "olu@eastwind.example", "Oluwaseun Adebayo", "Eastwind", "owner")
	p := openTab(t, s.base)
	p.become(ana)

	t.Log("invite, and copy the link")
	p.open(teamPage)
	p.at(teamPage, "Team")
	d := p.whole().dialog("link", "Invite Member", "Invite Member")
	d.fill("Email", "olu@eastwind.example")
	d.follow("button", "Create invitation")
	p.announces("Invitation created")
	p.hides("code=")
	link := p.whole().copied("Copy link of the new invitation", "Invitation link copied")
	if again := p.whole().copied("Copy link for olu@eastwind.example", "Invitation link copied"); again != link || !strings.HasPrefix(link, s.base+"/invitations?code=") {
		t.Fatalf("copied %q and %q", link, again)
	}
	p.hides("code=")

	t.Log("accept in a second browser, without a script")
	q := openTab(t, s.base)
	call(q, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	q.open(link)
	q.at("/invitations", "Join Northwind")
	q.whole().follow("link", "Sign in")
	q.at("/login", "Sign in")
	q.whole().fill("Email", "olu@eastwind.example")
	q.whole().fill("Password", password)
	q.whole().follow("button", "Sign in")
	q.at("/invitations", "Join Northwind")
	q.whole().follow("button", "Join Northwind")
	q.announces("You are in Northwind now.")
	q.at(applications, "Applications")
	q.sees("Trading bot")

	t.Log("switch teams")
	q.whole().click(menuRole, "Account: Oluwaseun Adebayo")
	q.whole().follow("button", "Eastwind Owner")
	q.announces("You are in Eastwind now.")
	q.sees("No applications yet")
	q.expect(http.StatusNotFound)
	q.open(app)
	q.sees("Page not found")
	q.open(teamPage)
	q.whole().click(menuRole, "Account: Oluwaseun Adebayo")
	q.whole().follow("button", "Northwind Developer")
	q.at(teamPage, "Team")

	seeAsDeveloper(q, app)
	changeRoleAndRemove(p, q, app)
}

// seeAsDeveloper shows the secret and makes a token.
func seeAsDeveloper(q *tab, app string) {
	q.t.Helper()
	q.open(app)
	q.whole().follow("button", "Show client secret")
	q.sees("lk_cs_")
	q.open(app + "/tokens")
	q.whole().follow("button", "Generate New Token")
	q.announces("Token created")
}

func changeRoleAndRemove(p, q *tab, app string) {
	p.t.Helper()
	p.t.Log("change the role")
	p.open(teamPage)
	d := p.whole().dialog("link", "Change role of Oluwaseun Adebayo", "Change the role of Oluwaseun Adebayo")
	d.click("radio", "Viewer Sees everything except secrets and token values.")
	d.follow("button", "Save role")
	p.announces("The role of Oluwaseun Adebayo is now Viewer.")
	q.open(app)
	q.whole().lacks("button", "Show client secret")

	p.t.Log("remove, and mend what was seen")
	d = p.whole().dialog("link", "Remove Oluwaseun Adebayo", "Remove Oluwaseun Adebayo?")
	p.sees("They have seen or added 2 tokens, secrets and public keys that still work.")
	d.follow("button", "Remove member")
	p.announces("Oluwaseun Adebayo was removed.")
	p.sees("What Oluwaseun Adebayo has seen")
	p.whole().follow("button", "Revoke tokens and rotate secrets")
	p.announces("1 token revoked, 1 secret rotated.")
	p.at(teamPage, "Team")
	p.whole().lacks("heading", "Left the team")

	p.t.Log("the open page of who was removed leads out")
	q.open(app)
	q.at("/login", "Sign in")
	q.whole().fill("Email", "olu@eastwind.example")
	q.whole().fill("Password", password)
	q.expect(http.StatusNotFound) // in Eastwind now, where that application is not
	q.whole().follow("button", "Sign in")
	q.sees("Page not found")
}

// TestSignUpByMailWithoutScript chooses the password behind the link, not before.
func TestSignUpByMailWithoutScript(t *testing.T) {
	t.Parallel()
	postbox := (&mailtest.Server{}).Start(t, "")
	s, _ := owner(t, "--signup", "open", "--smtp-url", postbox.URL())
	p := openTab(t, s.base)
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.open("/signup")
	for field, text := range map[string]string{"Team name": "Northwind", "Your name": "Eve Bell", "Email": "eve@example.com"} {
		p.whole().fill(field, text)
	}
	p.whole().follow("button", "Send link")
	p.at("/signup", "Check your mail")
	p.open(strings.TrimPrefix(linkIn(t, postbox.Next(t)), s.base))
	p.at("/signup/finish", "Create account")
	p.whole().fill("Password", "northwind-northwind")
	p.expect(http.StatusUnprocessableEntity)
	p.whole().follow("button", "Create account")
	p.sees("Do not use your name, email, team")
	p.whole().fill("Password", password)
	p.whole().follow("button", "Create account")
	p.at(applications, "Applications")
}

// TestSignUpAndLeaveWithoutScript makes an account with a team of its own, which cannot be left.
func TestSignUpAndLeaveWithoutScript(t *testing.T) {
	t.Parallel()
	s, _ := owner(t, "--signup", "open")
	p := openTab(t, s.base)
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.open("/login")
	p.whole().follow("link", "Create account")
	p.at("/signup", "Create account")
	for field, text := range map[string]string{"Team name": "Northwind", "Your name": "Eve Bell", "Email": "eve@example.com", "Password": password} {
		p.whole().fill(field, text)
	}
	p.whole().follow("button", "Create account")
	p.at(applications, "Applications")
	p.open(teamPage)
	p.whole().follow("link", "Leave the team")
	p.at(teamPage+"/leave", "Leave Northwind?")
	p.expect(http.StatusUnprocessableEntity)
	p.whole().follow("button", "Leave team")
	p.sees("A team needs at least one owner. Make someone else an owner first.")
}
