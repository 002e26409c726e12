package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestStoryByKeyboard takes the main path without a mouse. Every stop of the Tab
// key on the way shows a ring.
func TestStoryByKeyboard(t *testing.T) {
	s := start(t)
	program := newClient(t, s.base)
	p := openTab(t, s.base)

	p.open(s.setupURL)
	for i, field := range []struct{ label, text string }{
		{"Team name", "Northwind"}, {"Your name", "Ana Ruiz"}, {"Email", ownerEmail}, {"Password", password},
	} {
		if i > 0 {
			p.tabTo("textbox", field.label)
		}
		p.wantFocus("textbox", field.label)
		p.press(field.text)
	}
	p.leave(func() { p.press(kb.Enter) })
	p.at(applications, "Applications")

	p.press(kb.Tab)
	p.wantFocus("link", "Skip to content")
	p.press(kb.Enter)
	p.wantFocus("main", "")

	t.Log("create")
	p.openByKey("New Application", "New application")
	p.wantFocus("textbox", "Name")
	p.press(kb.Escape)
	p.wantNoDialog()
	p.wantFocus("link", "New Application")
	p.press(kb.Enter)
	d := p.whole().find("dialog", "New application")
	p.wantFocus("textbox", "Name")
	p.press("Trading bot")
	p.tabTo("combobox", "Access tokens expire after")
	p.press("12")
	if got := d.find("combobox", "Access tokens expire after").value(); got != "43200" {
		t.Errorf("typing 12 chose %s seconds, want 43200", got)
	}
	p.tabTo("button", "Create application")
	p.leave(func() { p.press(kb.Enter) })
	p.at(p.path(), "Trading bot")
	p.sees("12 hours")

	t.Log("generate, copy, show")
	p.openByKey("Generate New Token", "Generate New Token")
	p.wantFocus("textbox", "Name (optional)")
	p.press("laptop")
	p.leave(func() { p.press(kb.Enter) })
	p.announces("Token created")
	p.tabTo("button", "Copy new token")
	p.press(" ")
	p.announces("Token copied")
	token := p.clipboard()
	program.wantGood(token)
	p.tabTo("button", "Show new token")
	p.press(kb.Enter)
	p.sees(token)
	p.wantFocus("button", "Hide new token")
	p.press(kb.Enter)
	p.whole().find("button", "Show new token")

	t.Log("the code tabs answer to the arrow keys")
	p.tabTo("radio", "curl")
	p.press(kb.ArrowRight)
	p.wantFocus("radio", "Python")
	p.whole().find("region", "Get a token, Python")

	t.Log("rotate")
	p.openByKey("Rotate secret", "Rotate the client secret?")
	p.tabTo("radio", "Not at all It stops working at once. For a secret that others may know.")
	p.press(kb.ArrowDown)
	p.tabTo("button", "Rotate secret")
	p.leave(func() { p.press(kb.Enter) })
	p.announces("The old one works for 1 hour more.")

	t.Log("the menu leads to the list")
	walkMenu(p)
	p.at(applications, "Applications")

	t.Log("revoke all")
	p.openByKey("Revoke all tokens of Trading bot", "Revoke all tokens of Trading bot?")
	p.wantFocus("link", "Cancel")
	p.press(kb.Enter)
	p.wantNoDialog()
	p.wantFocus("link", "Revoke all tokens of Trading bot")
	p.openByKey("Revoke all tokens of Trading bot", "Revoke all tokens of Trading bot?")
	p.tabTo("button", "Revoke 1 token")
	p.leave(func() { p.press(" ") })
	program.wantRefused(token)

	t.Log("delete")
	p.openByKey("Delete Trading bot", "Delete Trading bot?")
	p.wantFocus("textbox", "Type Trading bot to confirm")
	p.press("Trading bot")
	p.leave(func() { p.press(kb.Enter) })
	p.announces("Trading bot was deleted.")

	p.tabTo(menuRole, "Account: Ana Ruiz")
	p.press(" ")
	p.tabTo("button", "Sign out")
	p.leave(func() { p.press(kb.Enter) })
	p.at("/login", "Sign in")
	p.wantFocus("textbox", "Email")
}

// walkMenu opens and closes the menus and leaves by the link Applications.
func walkMenu(p *tab) {
	p.t.Helper()
	menu := p.whole().find("navigation", "Main")
	p.tabTo(menuRole, "Authorization")
	p.press(kb.Enter)
	menu.find("link", "Applications")
	p.press(kb.Escape)
	menu.lacks("link", "Applications")
	p.wantFocus(menuRole, "Authorization")
	p.press(" ")
	menu.find("link", "Applications")
	p.tabTo(menuRole, "Account: Ana Ruiz")
	menu.lacks("link", "Applications") // leaving closes it
	p.tabTo(menuRole, "Authorization")
	p.press(kb.Enter)
	menu.find("link", "Applications")
	p.press(kb.Tab)
	if p.focus().root != menu.find("link", "Applications").root {
		p.t.Error("Tab does not come to the first link of the menu")
	}
	p.leave(func() { p.press(kb.Enter) })
}
