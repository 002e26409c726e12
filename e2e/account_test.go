package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

const (
	profilePage = "/user/profile"
	newPassword = "eleven herons at noon"
)

// ofAccount are the pages of a person's own account. They change nothing but sessions.
func (w *world) ofAccount() []view {
	wrong := func(field, value, button, problem string) func(p *tab) {
		return func(p *tab) {
			p.open(profilePage)
			p.whole().fill(field, value)
			p.postForm("button", button)
			p.sees(problem)
		}
	}
	return []view{
		{name: "profile", email: loneEmail, show: func(p *tab) {
			signIn(p.t, w.s, loneEmail)
			p.open(profilePage)
			p.whole().find("button", "End all other sessions")
		}},
		{name: "profile name error", email: loneEmail, status: 422, show: wrong("Your name", "\u200b", "Save name", "Enter a name.")},
		{name: "profile email error", email: loneEmail, status: 422, show: wrong("Email", "nobody", "Change email", "Enter an email address such as")},
		{name: "profile password error", email: loneEmail, status: 422, show: wrong("New password", "short", "Change password", "Use at least 12 characters.")},
		{name: "profile failures", email: loneEmail, show: func(p *tab) {
			newClient(p.t, w.s.base).post("/login", url.Values{"email": {loneEmail}, "password": {"not the password"}})
			p.open(profilePage)
			p.sees("Since you last opened this page")
		}},
		{name: "email link over", email: loneEmail, status: 404, show: opened(profilePage + "/email/confirm?code=x")},
		{name: "confirm deed", email: loneEmail, show: func(p *tab) {
			change(p.t, w.s.dir, "UPDATE sessions SET proven_at = 0 WHERE user_id = (SELECT id FROM users WHERE email = ?)", loneEmail)
			p.open(profilePage)
			p.whole().follow("button", "End all other sessions")
			p.sees("You asked to end all your other sessions.")
		}},
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	p, ana, app := signedIn(t)
	second := openTab(t, p.base)
	second.become(signIn(t, &server{base: p.base, dir: ana.dir}, ownerEmail))
	second.open(profilePage)
	p.expect(http.StatusUnprocessableEntity)

	t.Log("name")
	p.open(app)
	p.whole().click(menuRole, "Account: Ana Ruiz")
	p.whole().follow("link", "Profile")
	p.at(profilePage, "Profile")
	p.whole().fill("Your name", "Ana María")
	p.whole().follow("button", "Save name")
	p.announces("Your name is Ana María.")

	t.Log("time zone")
	p.open(app)
	p.sees("Times are in UTC.")
	before := eval[string](p, `document.querySelector("main time").title`)
	p.open(profilePage)
	p.whole().choose("Time zone", "Asia/Kolkata")
	p.whole().follow("button", "Save time zone")
	p.announces("Times are shown in Asia/Kolkata.")
	p.open(app)
	p.sees("Times are in Asia/Kolkata.")
	if after := eval[string](p, `document.querySelector("main time").title`); after == before || !strings.HasSuffix(after, " IST") {
		t.Errorf("the time %q became %q", before, after)
	}

	t.Log("theme, at once and for good")
	p.open(profilePage)
	main := p.whole().find("region", "Theme and time zone")
	main.click("button", "Dark")
	p.open(profilePage)
	if got := eval[string](p, `document.documentElement.dataset.theme`); got != "dark" {
		t.Errorf("theme %q", got)
	}

	t.Log("password; the other browser is signed out")
	p.whole().fill("Current password", "not the password")
	p.whole().fill("New password", newPassword)
	p.whole().follow("button", "Change password")
	p.sees("That is not your password.")
	p.whole().fill("Current password", password)
	p.whole().fill("New password", newPassword)
	p.whole().follow("button", "Change password")
	p.announces("Your password was changed. All your other sessions were ended.")
	p.hides(newPassword)
	second.open(app)
	second.at("/login", "Sign in")
	second.whole().fill("Email", ownerEmail)
	second.whole().fill("Password", newPassword)
	second.whole().follow("button", "Sign in")
	second.at(app, "Trading bot")

	t.Log("end the session of the other browser, after a proof")
	change(t, ana.dir, "UPDATE sessions SET proven_at = proven_at - 16 * 60 * 1000")
	p.open(profilePage)
	p.whole().follow("button", "End the session in Chrome on Linux")
	p.at("/confirm", "Confirm it is you")
	p.sees("You asked to end one of your sessions.")
	p.whole().follow("link", "Cancel")
	p.at(profilePage, "Profile")
	p.whole().follow("button", "End the session in Chrome on Linux")
	p.whole().fill("Password", newPassword)
	p.whole().follow("button", "Confirm")
	p.at(profilePage, "Profile")
	p.announces("The session was ended.")
	second.open(app)
	second.at("/login", "Sign in")

	t.Log("email, at once where there is no mail")
	p.whole().fill("Email", "ana.ruiz@b.example")
	p.whole().fill("Password, to confirm the email", newPassword)
	p.whole().follow("button", "Change email")
	p.announces("You sign in as ana.ruiz@b.example from now on.")
}

// TestFreshDeeds deletes and shows after a proof, with a script and without.
func TestFreshDeeds(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]bool{"with a script": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			p, ana, app := signedIn(t)
			secret := ana.reveal(app + "/secret")
			if off {
				call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
			} else {
				p.expect(http.StatusForbidden) // which tells the script where to go
			}
			stale := func() { change(t, ana.dir, "UPDATE sessions SET proven_at = proven_at - 16 * 60 * 1000") }
			stale()
			p.open(app)
			p.whole().follow("button", "Show client secret")
			p.at("/confirm", "Confirm it is you")
			p.sees("You asked to show the client secret of Trading bot.")
			p.hides(secret)
			p.whole().follow("link", "Cancel")
			p.at(app, "Trading bot")
			p.whole().follow("button", "Show client secret")
			p.whole().fill("Password", password)
			p.whole().follow("button", "Confirm")
			p.at("/confirm", "Trading bot")
			p.sees(secret)
			p.whole().follow("link", "Hide client secret")
			p.at(app, "Trading bot")
			p.hides(secret)

			t.Log("a form that was opened in time and sent too late")
			p.open(app + "/delete")
			stale()
			p.whole().fill("Type Trading bot to confirm", "Trading bot")
			p.whole().follow("button", "Delete application")
			p.sees("You asked to delete Trading bot.")
			p.whole().fill("Password", password)
			p.whole().follow("button", "Confirm")
			p.at(applications, "Applications")
			p.announces("Trading bot was deleted.")

			t.Log("a page that is asked for too late")
			other := another(t, p, ana)
			stale()
			p.open(other + "/delete")
			p.at("/confirm", "Confirm it is you")
			if back := ask[string](p.whole().find("link", "Cancel"), "return this.href"); !strings.HasSuffix(back, other) {
				t.Errorf("Cancel leads to %s", back)
			}
			p.whole().fill("Password", password)
			p.whole().follow("button", "Confirm")
			p.at(other+"/delete", "Delete Price feed?")
		})
	}
}

// another makes an application in the session of a page.
func another(t *testing.T, p *tab, ana *client) string {
	t.Helper()
	fresh := signIn(t, &server{base: p.base, dir: ana.dir}, ownerEmail)
	app := fresh.create("Price feed")
	fresh.post("/logout", url.Values{})
	return app
}
