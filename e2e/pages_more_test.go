package e2e

import (
	"net/http"
	"net/url"
)

// confirmations are the pages that ask before something is done.
func (w *world) confirmations() []view {
	return []view{
		{name: "delete", show: opened(w.bot + "/delete")},
		{name: "delete error", status: 422, show: func(p *tab) {
			p.open(w.bot + "/delete")
			ask[bool](p.whole().find("textbox", "Type Trading bot to confirm"), "this.form.noValidate = true; return true")
			p.whole().fill("Type Trading bot to confirm", "trading")
			p.whole().follow("button", "Delete application")
			p.sees("That is not the name.")
		}},
		{name: "delete long", show: opened(w.long + "/delete")},
		{name: "revoke all", show: opened(w.bot + "/revoke")},
		{name: "revoke token", show: opened(w.token + "/revoke")},
		{name: "rotate", show: opened(w.bot + "/secret")},
		{name: "rotate long", show: opened(w.long + "/secret")},
		{name: "generate long", show: opened(w.long + "/tokens")},
		{name: "retire", show: opened(w.bot + "/secret/retire")},
		{name: "switch off", show: opened(w.bot + "/disable")},
	}
}

// opened are pages with a dialog, a menu or a message on them.
func (w *world) opened() []view {
	const bar = ".topbar" // what an open menu covers is no target meanwhile
	return []view{
		{name: "dialog new", show: func(p *tab) {
			p.open(applications)
			p.whole().dialog("link", "New Application", "New application")
		}},
		{name: "dialog delete", show: func(p *tab) {
			p.open(w.bot)
			p.whole().dialog("link", "Delete application", "Delete Trading bot?")
		}},
		{name: "menu account", scope: bar, show: func(p *tab) {
			p.open(w.bot)
			p.whole().click(menuRole, "Account: Ana Ruiz")
			p.whole().find("button", "Sign out")
		}},
		{name: "menu", scope: bar, show: func(p *tab) {
			p.open(w.bot)
			p.whole().click(menuRole, "Authorization")
			p.whole().find("link", "Tokens")
		}},
		{name: "menu phone", scope: bar, show: func(p *tab) {
			p.resize(390)
			p.open(w.bot)
			p.whole().click(menuRole, "Menu")
			p.whole().find("link", "Tokens")
		}},
		{name: "toast", show: func(p *tab) {
			clipboards.Lock()
			defer clipboards.Unlock()
			p.open(w.bot)
			p.whole().click("button", "Copy client ID")
			p.announces("Client ID copied")
		}},
		{name: "confirm identity error", status: http.StatusUnprocessableEntity, show: func(p *tab) {
			p.open("/confirm?next=" + url.QueryEscape(w.bot))
			p.whole().fill("Password", "not the password")
			p.whole().follow("button", "Confirm")
			p.sees("That is not your password.")
		}},
	}
}

// conflict saves an edit of an application that somebody else has changed
// since it was opened.
func conflict(p *tab, app string) {
	p.t.Helper()
	p.open(app + "/edit")
	other := p.beside()
	other.open(app + "/edit")
	other.whole().fill("Name", "Theirs "+idOf(app)[:13])
	other.whole().follow("button", "Save changes")
	p.whole().fill("Name", "Mine "+idOf(app)[:13])
	p.whole().follow("button", "Save changes")
	p.sees("Someone else changed it meanwhile")
}
