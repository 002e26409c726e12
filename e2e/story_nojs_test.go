package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestStoryWithoutScript takes the main path in a browser that runs no script.
func TestStoryWithoutScript(t *testing.T) {
	t.Parallel()
	s := start(t)
	program := newClient(t, s.base)
	p := openTab(t, s.base)
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})

	setUp(p, s.setupURL)
	t.Log("New Application is a page")
	p.whole().follow("link", "New Application")
	p.at(applications+"/new", "New application")
	p.whole().fill("Name", "Trading bot")
	p.whole().choose("Access tokens expire after", "7 days")
	p.whole().follow("button", "Create application")
	p.announces("Trading bot was created.")
	app := p.path()
	p.sees("7 days")

	t.Log("Generate New Token is a page")
	p.whole().follow("link", "Generate New Token")
	p.at(app+"/tokens", "Generate New Token")
	p.whole().fill("Name (optional)", "laptop")
	p.whole().choose("Expires after", "1 hour")
	p.whole().follow("button", "Generate New Token")
	p.at(app, "Trading bot")
	p.announces("Token created")
	if found, err := p.whole().visible("button", "Copy new token"); err != nil || len(found) > 0 {
		t.Errorf("Copy is offered without a script (%v)", err)
	}

	t.Log("Show answers with a page that holds the value")
	p.whole().follow("button", "Show new token")
	token := valueOn(p)
	program.wantGood(token)
	p.whole().follow("link", hideOf(token))
	p.at(app, "Trading bot")
	p.hides(token)
	p.whole().follow("button", "Show client secret")
	secret := valueOn(p)
	p.sees(`client_secret=` + secret) // the code has it too
	clientID := strings.TrimSpace(p.whole().find("region", "Client credentials").text())
	clientID = strings.Fields(strings.TrimPrefix(clientID[strings.Index(clientID, "Client ID"):], "Client ID"))[0]
	issued, problem := program.newToken(clientID, secret)
	if problem != "" {
		t.Fatalf("client %s: %s", clientID, problem)
	}
	p.whole().follow("link", "Hide client secret")
	p.hides(secret)
	p.whole().click("radio", "Go")
	p.whole().find("region", "Get a token, Go")
	p.whole().lacks("region", "Get a token, curl")

	confirmWithoutScript(p, app)
	program.wantRefused(token)
	program.wantRefused(issued)
	themeWithoutScript(p)

	t.Log("delete")
	p.whole().follow("link", "Delete Trading bot")
	p.at(app+"/delete", "Delete Trading bot?")
	p.whole().fill("Type Trading bot to confirm", "trading")
	p.whole().click("button", "Delete application")
	p.at(app+"/delete", "Delete Trading bot?") // the browser does not send it
	p.whole().fill("Type Trading bot to confirm", "Trading bot")
	p.whole().follow("button", "Delete application")
	p.announces("Trading bot was deleted.")
	p.whole().click(menuRole, "Account: Ana Ruiz")
	p.whole().follow("button", "Sign out")
	p.at("/login", "Sign in")
}

// confirmWithoutScript rotates, ends the old secret, switches off and on, and
// revokes everything.
func confirmWithoutScript(p *tab, app string) {
	p.t.Helper()
	p.whole().follow("link", "Rotate secret")
	p.at(app+"/secret", "Rotate the client secret?")
	p.whole().click("radio", "1 day For changes that others must make.")
	p.whole().follow("button", "Rotate secret")
	p.announces("The old one works for 1 day more.")
	p.whole().follow("link", "End old secret now")
	p.at(app+"/secret/retire", "End the old secret now?")
	p.whole().follow("link", "Cancel")
	p.whole().follow("link", "End old secret now")
	p.whole().follow("button", "End old secret")
	p.announces("The old client secret was ended.")
	p.whole().follow("link", "Switch off")
	p.at(app+"/disable", "Switch off Trading bot?")
	p.whole().follow("button", "Switch off")
	p.announces("Trading bot was switched off.")
	p.whole().follow("button", "Switch on")
	p.announces("Trading bot was switched on.")
	p.whole().click(menuRole, "Authorization")
	p.whole().follow("link", "Tokens")
	p.at(tokensPage, "Tokens")
	p.whole().click(menuRole, "Authorization")
	p.clickAt(1000, 500) // anywhere else closes it
	p.whole().lacks("link", "Tokens")
	p.open(applications)
	p.whole().follow("link", "Revoke all tokens of Trading bot")
	p.at(app+"/revoke", "Revoke all tokens of Trading bot?")
	p.whole().follow("button", "Revoke 2 tokens")
	p.announces("2 tokens of Trading bot were revoked.")
}

func themeWithoutScript(p *tab) {
	p.t.Helper()
	p.whole().click(menuRole, "Account: Ana Ruiz")
	p.whole().follow("button", "Dark")
	p.at(applications, "Applications")
	if got := eval[string](p, "document.documentElement.dataset.theme"); got != "dark" {
		p.t.Errorf("the theme is %q after Dark", got)
	}
}

// valueOn returns the secret value that the page shows.
func valueOn(p *tab) string {
	p.t.Helper()
	return eval[string](p, `document.querySelector(":not(i)[data-revealed]")?.innerText ?? ""`)
}

func hideOf(token string) string { return "Hide token ending in " + token[len(token)-4:] }
