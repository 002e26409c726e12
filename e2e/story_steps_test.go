package e2e

import (
	"net/http"
	"strings"
)

// The steps of the story. Each begins and ends on a page that it names.

func toApplications(p *tab, width int64) {
	p.t.Helper()
	menu, navigation := "Authorization", "Main"
	if width < 500 {
		menu, navigation = "Menu", "Main, compact"
	}
	p.whole().click(menuRole, menu)
	p.whole().find("navigation", navigation).follow("link", "Applications")
	p.at(applications, "Applications")
}

func setUp(p *tab, address string) {
	p.t.Helper()
	p.open(address)
	p.at("/setup", "Set up Latchkey")
	p.whole().fill("Team name", "Northwind")
	p.whole().fill("Your name", "Ana Ruiz")
	p.whole().fill("Email", ownerEmail)
	p.whole().fill("Password", password)
	p.whole().follow("button", "Create account")
	p.at(applications, "Applications")
	p.sees("No applications yet")
	p.expect(http.StatusNotFound)
	p.open(address)
	p.sees("Page not found")
	p.open(applications)
}

func createApplication(p *tab) {
	p.t.Helper()
	d := p.whole().dialog("link", "New Application", "New application")
	d.fill("Name", "Trading bot")
	d.choose("Access tokens expire after", "5 hours")
	d.follow("button", "Create application")
	p.announces("Trading bot was created.")
	p.at(p.path(), "Trading bot")
	p.sees("No tokens for Trading bot")
}

// generateToken makes a token named laptop and returns what its Copy button copies.
func generateToken(p *tab) string {
	p.t.Helper()
	d := p.whole().dialog("link", "Generate New Token", "Generate New Token")
	d.fill("Name (optional)", "laptop")
	d.follow("button", "Generate New Token")
	p.announces("Token created")
	p.whole().find("rowheader", "laptop")
	value := p.whole().copied("Copy new token", "Token copied")
	if !strings.HasPrefix(value, "lk_at_") {
		p.t.Fatalf("Copy copied %q, want a token", value)
	}
	p.hides(value)
	return value
}

func showAndHide(p *tab, what, value string) {
	p.t.Helper()
	p.whole().click("button", "Show "+what)
	p.sees(value)
	p.whole().click("button", "Hide "+what)
	p.whole().find("button", "Show "+what)
	p.hides(value)
}

func switchOffAndOn(p *tab, program *client, clientID, secret string) {
	p.t.Helper()
	p.t.Log("switch the application off and on")
	token, _ := program.newToken(clientID, secret)
	program.wantGood(token)
	d := p.whole().dialog("link", "Switch off", "Switch off Trading bot?")
	d.follow("button", "Switch off")
	p.announces("Trading bot was switched off.")
	program.wantRefused(token)
	if _, problem := program.newToken(clientID, secret); problem == "" {
		p.t.Error("an application that is switched off gets a token")
	}
	p.whole().follow("button", "Switch on")
	p.announces("Trading bot was switched on.")
	program.wantGood(token)
}

// rotate gives the application a new secret, which it returns.
func rotate(p *tab, program *client, clientID, old string) string {
	p.t.Helper()
	p.t.Log("rotate the secret with an overlap, then end the old one")
	d := p.whole().dialog("link", "Rotate secret", "Rotate the client secret?")
	d.click("radio", "1 hour Time to update your servers one after the other.")
	d.follow("button", "Rotate secret")
	p.announces("The client secret was rotated. The old one works for 1 hour more.")
	secret := p.whole().copied("Copy client secret", "Client secret copied")
	if secret == old {
		p.t.Error("the secret is the same after the rotation")
	}
	for _, good := range []string{old, secret} {
		if _, problem := program.newToken(clientID, good); problem != "" {
			p.t.Errorf("during the overlap: %s", problem)
		}
	}
	d = p.whole().dialog("link", "End old secret now", "End the old secret now?")
	d.follow("button", "End old secret")
	p.announces("The old client secret was ended.")
	if _, problem := program.newToken(clientID, old); problem != "invalid_client" {
		p.t.Errorf("the ended secret is answered %q, want invalid_client", problem)
	}
	if _, problem := program.newToken(clientID, secret); problem != "" {
		p.t.Errorf("the new secret is answered %q", problem)
	}
	return secret
}

func edit(p *tab) {
	p.t.Helper()
	p.t.Log("rename it, with a lifespan of its own")
	d := p.whole().dialog("link", "Edit name and token lifespan", "Edit Trading bot")
	d.fill("Name", "Price feed")
	d.choose("Access tokens expire after", "Custom")
	d.fill("Number", "90")
	d.choose("Unit", "minutes")
	d.follow("button", "Save changes")
	p.announces("The changes to Price feed were saved.")
	p.at(p.path(), "Price feed")
	p.sees("1 hour 30 minutes")
}

func searchAndSort(p *tab) {
	p.t.Helper()
	p.t.Log("search and sort the list")
	p.open(applications)
	d := p.whole().dialog("link", "New Application", "New application")
	d.fill("Name", "Alerts")
	d.follow("button", "Create application")
	p.whole().follow("link", "Applications")
	rows := func() string {
		return eval[string](p, `[...document.querySelectorAll("tbody th a")].map((a) => a.innerText).join()`)
	}
	if got := rows(); got != "Alerts,Price feed,Temporary (IDE)" {
		p.t.Errorf("by name: %s", got)
	}
	p.whole().follow("link", "Name")
	if got := rows(); got != "Temporary (IDE),Price feed,Alerts" {
		p.t.Errorf("by name, turned round: %s", got)
	}
	if got := ask[string](p.whole().find("columnheader", "Name"), `return this.getAttribute("aria-sort")`); got != "descending" {
		p.t.Errorf("aria-sort: %s", got)
	}
	p.whole().follow("link", "Token lifespan")
	if got := rows(); got != "Price feed,Alerts,Temporary (IDE)" {
		p.t.Errorf("by lifespan: %s", got)
	}
	p.whole().search("PRICE")
	if got := rows(); got != "Price feed" {
		p.t.Errorf("search: %s", got)
	}
	p.whole().search("nothing like that")
	p.sees("No applications match")
	p.whole().follow("link", "Clear search")
}

func remove(p *tab) {
	p.t.Helper()
	p.t.Log("delete it by its name")
	d := p.whole().dialog("link", "Delete Price feed", "Delete Price feed?")
	d.fill("Type Price feed to confirm", "Trading bot")
	d.click("button", "Delete application")
	p.whole().find("dialog", "Delete Price feed?") // the browser does not send it
	d.fill("Type Price feed to confirm", "Price feed")
	d.follow("button", "Delete application")
	p.announces("Price feed was deleted.")
	p.whole().lacks("link", "Price feed")
}

func signOut(p *tab) {
	p.t.Helper()
	p.t.Log("sign out; Back shows nothing")
	p.whole().click(menuRole, "Account: Ana Ruiz")
	p.whole().follow("button", "Sign out")
	p.at("/login", "Sign in")
	p.back()
	p.at("/login", "Sign in")
}

func (p place) search(text string) {
	p.t.Helper()
	e := p.find("searchbox", "Search applications")
	ask[bool](e, "this.focus(); this.select(); return true")
	p.insert(text)
	p.follow("button", "Search")
}
