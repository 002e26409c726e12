package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// withIDP starts a program of Northwind at a provider, and opens a page.
func withIDP(t *testing.T) (*tab, *idp) {
	t.Helper()
	p := newIDP(t)
	s, _ := owner(t, p.flags()...)
	p.expects(s)
	page := openTab(t, s.base)
	page.expect(http.StatusNotFound) // the provider has no icon
	t.Cleanup(func() {               // A2
		for _, secret := range []string{idpSecret, "code=", "state=", "code_verifier", "id_token"} {
			if strings.Contains(s.Stderr.String(), secret) {
				t.Errorf("the log holds %q:\n%s", secret, s.Stderr)
			}
		}
	})
	return page, p
}

// A provider that is down stops neither the start nor signing in by password, and is
// named in the policy of the pages all the same (P3, G7).
func TestStartWhileTheProviderIsDown(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	p.Close()
	s, ana := owner(t, p.flags()...)
	if got := ana.post("/login/provider", nil); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "Example ID cannot be reached") {
		t.Errorf("%d %s", got.status, got.body)
	}
	eventually(t, func() string {
		if !strings.Contains(s.Stderr.String(), "the OpenID provider cannot be used") {
			return "the log does not say why: " + s.Stderr.String()
		}
		return ""
	})
	answer, err := ana.http.Do(ana.request(http.MethodGet, "/login", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' "+p.URL+";") {
		t.Error(policy)
	}
}

// S20, S21, S22: a real browser, a real provider and its own sign-in page.
func TestSignInByARealProvider(t *testing.T) {
	t.Parallel()
	page, p := withIDP(t)
	page.open("/login?next=" + url.QueryEscape(applications+"?q=x"))
	page.whole().follow("button", "Sign in with Example ID")
	p.at(page, "nia")
	page.at(applications, "Applications")
	if got := eval[string](page, "location.search"); got != "?q=x" {
		t.Errorf("led to %q", got)
	}
	page.whole().find(menuRole, "Account: Nia Holm")
	page.whole().lacks("link", "New Application")

	page.open("/confirm?next=" + url.QueryEscape(applications))
	page.sees("Confirm that it is you")
	page.whole().follow("button", "Confirm with Example ID")
	p.at(page, "nia")
	page.at(applications, "Applications")
	page.announces("Confirmed.")

	// As somebody else, it is no proof.
	page.expect(http.StatusForbidden)
	page.open("/confirm?next=" + url.QueryEscape(applications))
	page.whole().follow("button", "Confirm with Example ID")
	p.at(page, "ana")
	page.at("/login/provider/callback", "That is not you at Example ID")
}

func TestAnAccountIsLinkedInTheBrowser(t *testing.T) { // S21
	t.Parallel()
	page, p := withIDP(t)
	page.expect(http.StatusForbidden)
	page.open("/login")
	page.whole().follow("button", "Sign in with Example ID")
	p.at(page, "mal")
	page.at("/login/provider/callback", "Example ID does not vouch for your email address")

	page.whole().follow("link", "Sign in")
	page.whole().follow("button", "Sign in with Example ID")
	p.at(page, "ana")
	page.at("/login", "Sign in")
	page.sees("An account with this email exists.")
	page.whole().fill("Email", ownerEmail)
	page.whole().fill("Password", password)
	page.whole().follow("button", "Sign in")
	page.at("/login/provider/link", "Link Example ID?")
	page.whole().follow("button", "Link account")
	page.at(applications, "Applications")
	page.announces("Example ID was linked.")

	page.open("/user/profile/provider")
	page.sees("Linked as")
	page.whole().click(menuRole, "Account: Ana Ruiz")
	page.whole().follow("button", "Sign out")
	page.whole().follow("button", "Sign in with Example ID")
	p.at(page, "ana")
	page.at(applications, "Applications")
	page.whole().find(menuRole, "Account: Ana Ruiz")

	page.open("/user/profile/provider")
	page.whole().dialog("link", "Unlink Example ID", "Unlink Example ID?").follow("button", "Unlink")
	page.at("/user/profile/provider", "Example ID")
	page.announces("Example ID was unlinked.")
}

// TestPagesOfTheProvider looks at each page as TestPages does.
func TestPagesOfTheProvider(t *testing.T) {
	t.Parallel()
	for _, theme := range themes {
		t.Run(theme, func(t *testing.T) {
			page, p := withIDP(t)
			page.scheme(theme)
			page.expect(http.StatusForbidden)
			page.open("/login")
			page.look("login provider", "")
			page.open("/login/provider/callback")
			page.look("provider out of date", "")
			page.open("/login")
			page.whole().follow("button", "Sign in with Example ID")
			p.at(page, "ana")
			page.at("/login", "Sign in")
			page.look("login link first", "")
			page.whole().fill("Email", ownerEmail)
			page.whole().fill("Password", password)
			page.whole().follow("button", "Sign in")
			page.at("/login/provider/link", "Link Example ID?")
			page.look("provider link", "")
			page.open("/user/profile/provider")
			page.look("provider card", "")
			page.open("/login/provider/link")
			page.whole().follow("button", "Link account")
			page.open("/user/profile/provider")
			page.look("provider card linked", "")
			page.open("/user/profile/provider/unlink")
			page.look("provider unlink", "")
			page.open("/confirm?next=" + url.QueryEscape(applications))
			page.look("confirm provider", "")
			page.open("/login/provider/callback")
			page.look("provider out of date signed in", "")
			if faults := strings.Join(page.takeFaults(), "\n"); faults != "" {
				t.Error(faults)
			}
		})
	}
}
