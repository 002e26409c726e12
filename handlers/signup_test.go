package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
)

func open(deps *handlers.Deps) { deps.SignUp = true }

var signUpFields = []string{"name", "Eve", "email", "eve@example.com", "password", password, "team", "northwind"}

func TestSignUpIsClosed(t *testing.T) {
	s, _, _ := owner(t)
	b := s.browser(t)
	for _, path := range []string{"/signup", "/signup?sent=1", "/signup/finish?code=x"} {
		b.get(path).expect(t, http.StatusNotFound)
	}
	b.post("/signup", signUpFields...).expect(t, http.StatusNotFound)
	b.post("/signup/finish", "code", "x").expect(t, http.StatusNotFound)
	if strings.Contains(b.get("/login").text(), "Create account") {
		t.Error("the sign-in page offers an account")
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM users"); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

func TestSignUp(t *testing.T) {
	s := newSite(t, open)
	if got := s.browser(t).get("/signup"); got.to() != "/setup" { // S13: the first account is made there
		t.Fatalf("without an account: %s to %q", got.Status, got.to())
	}
	if got := s.browser(t).post("/signup", signUpFields...); got.to() != "/setup" {
		t.Fatalf("without an account: %s to %q", got.Status, got.to())
	}
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.browser(t)
	b.get("/login").expect(t, http.StatusOK, "Create account")
	b.get("/signup").expect(t, http.StatusOK, "Create account", "You get a team of your own")
	bad := b.post("/signup", "name", "", "email", "eve", "password", "short", "team", "\u200b")
	bad.expect(t, http.StatusUnprocessableEntity)
	for field, want := range map[string]string{"name": "Enter a name.", "team": "Enter a name.", "email": "Enter an email address such as ana@example.com.", "password": "Use at least 12 characters."} {
		if _, problem := bad.field(field); problem != want {
			t.Errorf("%s: %q", field, problem)
		}
	}
	if got := b.post("/signup", append(signUpFields, "operator", "1", "role", "viewer")...); got.to() != apps {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	page := b.get(teamPage)
	page.expect(t, http.StatusOK, "Eve You eve@example.com Owner")
	if strings.Contains(page.text(), "ana@northwind.example") || strings.Contains(page.text(), "Administration") {
		t.Error("signed up into a team that exists, or as an operator")
	}
	if got := b.get("/signup"); got.to() != apps {
		t.Errorf("signed in: %q", got.to())
	}
	// An address that has an account, in any case of letters: nothing is made, nobody is signed in.
	for _, email := range []string{ana.Email, strings.ToUpper(ana.Email)} {
		stranger := s.browser(t)
		stranger.post("/signup", "name", "X", "email", email, "password", password, "team", "X").expect(t, http.StatusUnprocessableEntity, "This email cannot be used for a new account. If it is yours, sign in.")
		if stranger.cookie("latchkey_session") != nil {
			t.Error("signed in")
		}
	}
	s.browser(t).post("/signup", "name", "X", "email", "\uff41na@northwind.example", "password", password, "team", "X").expect(t, http.StatusUnprocessableEntity, "Look-alike letters are not taken.")
}

// S11: signing up is slowed for each address, before the work is done.
func TestSignUpIsSlowed(t *testing.T) {
	s := newSite(t, open)
	s.member(t, "northwind", "ana", models.RoleOwner)
	for i := range 10 {
		s.browser(t).post("/signup", "name", "X", "email", fmt.Sprintf("x%d@example.com", i), "password", password, "team", "X").expect(t, http.StatusSeeOther)
	}
	got := s.browser(t).post("/signup", signUpFields...)
	got.expect(t, http.StatusTooManyRequests, "Too many attempts. Try again in 1 minute.")
	if value, _ := got.field("email"); value != "eve@example.com" {
		t.Error("what was typed is gone")
	}
	elsewhere := s.browser(t).do(http.MethodPost, "/signup", values(signUpFields...), http.Header{"X-Forwarded-For": {"192.0.2.9"}})
	elsewhere.expect(t, http.StatusSeeOther)
	s.db.Wait(time.Minute)
	s.browser(t).post("/signup", "name", "X", "email", "later@example.com", "password", password, "team", "X").expect(t, http.StatusSeeOther)
}
