package e2e

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/pquerna/otp/hotp"
)

const (
	factorPage = "/user/profile/second-factor"
	codesPage  = factorPage + "/recovery-codes"
)

// named starts a program at a host name, which passkeys need, with Ana Ruiz of Northwind.
func named(t *testing.T) *server {
	t.Helper()
	free, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	must(t, err)
	at := free.Addr().String()
	must(t, free.Close())
	_, port, _ := net.SplitHostPort(at)
	dir := t.TempDir()
	addUser(t, dir, ownerEmail, "Ana Ruiz", "Northwind", "owner")
	return startIn(t, dir, "--addr", at, "--base-url", "http://localhost:"+port)
}

// fingerprint gives the tab a device that keeps passkeys and knows its owner.
func (p *tab) fingerprint() webauthn.AuthenticatorID {
	p.t.Helper()
	call(p, webauthn.Enable, webauthn.EnableParams{})
	added := call(p, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	return added.AuthenticatorID
}

// knocks gives email and password on the sign-in page.
func (p *tab) knocks() {
	p.t.Helper()
	p.open("/login")
	p.whole().fill("Email", ownerEmail)
	p.whole().fill("Password", password)
	p.whole().follow("button", "Sign in")
}

func (p *tab) signsOut() {
	p.t.Helper()
	p.open(applications)
	p.whole().click(menuRole, "Account: Ana Ruiz")
	p.whole().follow("button", "Sign out")
	p.at("/login", "Sign in")
}

// TestSecondFactors goes the whole way with a real browser and its passkeys.
func TestSecondFactors(t *testing.T) { // S16, S17, S18, S19, S7
	t.Parallel()
	for _, theme := range themes {
		t.Run(theme, func(t *testing.T) {
			s := named(t)
			p := openTab(t, s.base)
			p.scheme(theme)
			device := p.fingerprint()
			p.knocks()
			p.at(applications, "Applications")

			t.Log("a passkey is added, and recovery codes come with it")
			p.open(factorPage)
			p.look("second factor none", "")
			p.whole().fill("Name of the new passkey", "Laptop")
			p.whole().follow("button", "Add passkey")
			p.at(factorPage+"/passkeys", "Recovery codes")
			p.look("recovery codes", "")
			codes := strings.Fields(p.whole().copied("Copy recovery codes", "Recovery codes copied"))
			if len(codes) != 10 {
				t.Errorf("copied %q", codes)
			}
			p.whole().follow("link", "I have kept them")
			p.whole().find("rowheader", "Laptop")
			p.hides(codes[0])
			p.look("second factor passkey", "")
			p.refusesAgain()

			p.signsInByPasskey(device)
			p.confirmsByPasskey(s)
			p.setsUpApp()
			p.usesRecoveryCode(codes[0])
			p.removesPasskey(device)
		})
	}
}

// refusesAgain asks the same device for a second passkey.
func (p *tab) refusesAgain() {
	p.t.Helper()
	p.whole().fill("Name of the new passkey", "Again")
	p.whole().click("button", "Add passkey")
	p.sees("This device has a passkey for your account already.")
	p.expect(http.StatusUnprocessableEntity, http.StatusUnprocessableEntity)
	p.whole().fill("Name of the new passkey", "laptop")
	p.whole().follow("button", "Add passkey")
	p.sees("You have a passkey called Laptop already. Choose another name.")
	p.look("second factor error", "")
}

// signsInByPasskey signs in by it alone, and after the password.
func (p *tab) signsInByPasskey(device webauthn.AuthenticatorID) {
	p.t.Helper()
	p.signsOut()
	p.look("login passkey", "")
	call(p, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device, IsUserVerified: false})
	p.whole().click("button", "Sign in with a passkey")
	p.sees("The browser got no passkey")
	p.look("login passkey refused", "")
	call(p, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device, IsUserVerified: true})
	p.whole().follow("button", "Sign in with a passkey")
	p.at(applications, "Applications")
	p.signsOut()
	p.knocks()
	p.at("/login/second-factor", "Second factor")
	p.whole().lacks("textbox", "")
	p.look("second step passkey", "")
	p.whole().follow("button", "Use a passkey")
	p.at(applications, "Applications")
}

// confirmsByPasskey does what wants a fresh proof when the last is old.
func (p *tab) confirmsByPasskey(s *server) {
	p.t.Helper()
	change(p.t, s.dir, "UPDATE sessions SET proven_at = proven_at - 1000000")
	p.open(codesPage)
	p.at("/confirm", "Confirm it is you")
	p.look("confirm passkey", "")
	p.whole().follow("button", "Use a passkey")
	p.at(codesPage, "Make new recovery codes?")
	p.look("recovery codes again", "")

	// A new passkey leads to the proof and from there back to the page.
	change(p.t, s.dir, "UPDATE sessions SET proven_at = proven_at - 1000000")
	p.open(factorPage)
	p.expect(http.StatusForbidden)
	p.whole().fill("Name of the new passkey", "Phone")
	p.whole().follow("button", "Add passkey")
	p.at("/confirm", "Confirm it is you")
	p.whole().follow("button", "Use a passkey")
	p.at(factorPage, "Second factor")
}

// setsUpApp adds an authenticator app and signs in with a code of it.
func (p *tab) setsUpApp() {
	p.t.Helper()
	p.open(factorPage)
	p.whole().follow("button", "Set up")
	p.at(factorPage+"/app", "Set up an authenticator app")
	p.look("second factor app", "")
	seed := p.whole().copied("Copy key", "Key copied")
	p.expect(http.StatusUnprocessableEntity)
	p.whole().fill("Code from the app", "12345")
	p.whole().follow("button", "Confirm")
	p.sees("That code does not fit.")
	p.look("second factor app error", "")
	at := time.Now().UnixMilli() / 30_000
	p.whole().fill("Code from the app", code(p.t, seed, at))
	p.whole().follow("button", "Confirm")
	p.announces("The authenticator app was set up. Your other sessions were ended.")
	p.look("second factor both", "")
	d := p.whole().dialog("link", "Remove the authenticator app", "Remove the authenticator app?")
	d.click("link", "Cancel")

	p.signsOut()
	p.knocks()
	p.look("second step", "")
	p.expect(http.StatusUnprocessableEntity)
	p.whole().fill("Code from your authenticator app", code(p.t, seed, at))
	p.whole().follow("button", "Sign in")
	p.sees("That code was used already.")
	p.look("second step used", "")
	p.whole().fill("Code from your authenticator app", code(p.t, seed, at+1))
	p.whole().follow("button", "Sign in")
	p.at(applications, "Applications")
}

func code(t testing.TB, seed string, step int64) string {
	t.Helper()
	code, err := hotp.GenerateCode(seed, uint64(step))
	must(t, err)
	return code
}

// usesRecoveryCode signs in without the script.
func (p *tab) usesRecoveryCode(recovery string) {
	p.t.Helper()
	p.signsOut()
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.open("/login")
	p.whole().lacks("button", "Sign in with a passkey")
	p.knocks()
	p.whole().lacks("button", "Use a passkey")
	p.whole().follow("link", "Use a recovery code")
	p.expect(http.StatusUnprocessableEntity)
	p.whole().fill("Recovery code", "3-AAAA-AAAA-AAAA-AAAA")
	p.whole().follow("button", "Sign in")
	p.sees("That is not one of your unused recovery codes.")
	p.whole().fill("Recovery code", strings.ToLower(recovery))
	p.whole().follow("button", "Sign in")
	p.at(applications, "Applications")
	p.open(factorPage)
	p.sees("9 of 10 codes left.")
	p.whole().lacks("button", "Add passkey")
	p.sees("Adding a passkey needs JavaScript")
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
}

// removesPasskey leaves the device with a key that no longer opens.
func (p *tab) removesPasskey(device webauthn.AuthenticatorID) {
	p.t.Helper()
	p.open(factorPage)
	d := p.whole().dialog("link", "Remove the passkey Laptop", "Remove the passkey Laptop?")
	p.wantFocus("link", "Cancel")
	d.follow("button", "Remove")
	p.announces("The passkey Laptop was removed. Your other sessions were ended.")
	p.whole().lacks("rowheader", "Laptop")
	if kept := call(p, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: device}); len(kept.Credentials) != 1 {
		p.t.Fatalf("the device keeps %d", len(kept.Credentials))
	}
	p.open("/user/team/second-factor")
	p.look("team second factor", "")
	p.signsOut()
	p.expect(http.StatusUnprocessableEntity)
	p.whole().follow("button", "Sign in with a passkey")
	p.sees("That passkey was not accepted.")
	p.look("login passkey unknown", "")
}

// ofFactors are the pages of somebody who has no second factor, at an address that can have no passkeys.
func (w *world) ofFactors() []view {
	return []view{
		{name: "second factor no name", email: viewerEmail, show: opened(factorPage)},
		{name: "second factor set up", email: viewerEmail, show: func(p *tab) {
			p.open(factorPage)
			p.whole().follow("button", "Set up")
			p.at(factorPage+"/app", "Set up an authenticator app")
		}},
		{name: "second factor asked of the owner first", email: ownerEmail, show: func(p *tab) {
			p.open("/user/team/second-factor")
			p.at(factorPage, "Second factor")
		}},
	}
}
