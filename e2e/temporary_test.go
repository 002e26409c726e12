package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestTemporaryToken copies the temporary token, uses it, replaces it and revokes it from
// the list of applications.
func TestTemporaryToken(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	p := openTab(t, s.base)
	p.become(ana)

	t.Log("copy it in a team without applications, use it")
	p.open(tokensPage)
	p.sees("No applications yet")
	p.sees("Changes in")
	first := p.whole().copied("Copy temporary token", "Temporary token copied")
	ana.wantGood(first)
	p.hides(first)
	showAndHide(p, "temporary token", first)
	p.open(tokensPage)
	if again := p.whole().copied("Copy temporary token", "Temporary token copied"); again != first {
		t.Error("it changed by being copied")
	}

	t.Log("replace it")
	d := p.whole().dialog("link", "Replace now temporary token", "Replace your temporary token?")
	d.follow("button", "Replace token")
	p.at(tokensPage, "Tokens")
	p.announces("Your temporary token was replaced.")
	ana.wantRefused(first)
	second := p.whole().copied("Copy temporary token", "Temporary token copied")
	if second == first {
		t.Fatal("the new one is the old one")
	}
	ana.wantGood(second)

	t.Log("revoke it in the row of the built-in application")
	p.open(applications)
	p.sees("No applications yet")
	p.sees("Built-in")
	p.whole().lacks("link", "Delete Temporary (IDE)")
	p.whole().find("link", "Tokens of Temporary (IDE)")
	d = p.whole().dialog("link", "Revoke all tokens of Temporary (IDE)", "Revoke all tokens of Temporary (IDE)?")
	d.follow("button", "Revoke 1 token")
	p.announces("1 token of Temporary (IDE) was revoked.")
	ana.wantRefused(second)

	t.Log("its own page says who has one")
	p.whole().follow("link", "Temporary (IDE)")
	p.sees("Nobody has one now.")
	built := p.path()
	ana.wantGood(ana.reveal(tokensPage + "/temporary"))
	p.open(built)
	p.whole().find("rowheader", "Ana Ruiz")
	if _, problem := ana.newToken(idOf(built), "x"); problem != "invalid_client" {
		t.Errorf("the token endpoint says %q", problem)
	}
}

// Without a script, Show answers with a page that holds the value, after a proof of identity
// where the last one is long ago.
func TestTemporaryTokenWithoutScript(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	p := openTab(t, s.base)
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.become(ana)
	p.open(tokensPage)
	p.whole().follow("button", "Show temporary token")
	p.whole().find("link", "Hide temporary token")
	p.sees(ana.reveal(tokensPage + "/temporary"))
	p.whole().follow("link", "Hide temporary token")
	p.hides("lk_at_")

	change(t, s.dir, "UPDATE sessions SET proven_at = proven_at - 16 * 60 * 1000")
	p.whole().follow("button", "Show temporary token")
	p.at("/confirm", "Confirm it is you")
	p.sees("You asked to show your temporary token.")
	p.whole().fill("Password", password)
	p.whole().follow("button", "Confirm")
	p.sees("lk_at_")

	p.whole().follow("link", "Replace now temporary token")
	p.at(tokensPage+"/temporary/replace", "Replace your temporary token?")
	p.whole().follow("button", "Replace token")
	p.at(tokensPage, "Tokens")
	p.sees("Your temporary token was replaced.")
}

// A viewer is shown no temporary token, and is refused one.
func TestViewersHaveNoTemporaryToken(t *testing.T) {
	t.Parallel()
	s, _ := owner(t)
	addUser(t, s.dir, viewerEmail, "Vera Lindqvist", "Northwind", "viewer")
	vera := signIn(t, s, viewerEmail)
	if got := vera.get(tokensPage); got.status != http.StatusOK || strings.Contains(got.body, "Temporary token") {
		t.Errorf("%d, or the page offers it", got.status)
	}
	if got := vera.post(tokensPage+"/temporary/reveal", nil); got.status != http.StatusForbidden || strings.Contains(got.body, "lk_at_") {
		t.Errorf("%d", got.status)
	}
}
