package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/mail"
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

var signUpLink = regexp.MustCompile(`http://127\.0\.0\.1:8080(/signup/finish\?code=\S+)`)

// S12: where mail goes out, the answer is the same whether or not the address has an account.
func TestSignUpByMail(t *testing.T) {
	s := newSite(t, open)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	var sent []mail.Message
	s.pages.CatchMail(func(message mail.Message) { sent = append(sent, message) })
	var first answer
	for i, email := range []string{"eve@example.com", ana.Email} {
		b := s.browser(t)
		got := b.post("/signup", "name", "Eve", "email", email, "password", password, "team", "Eve's")
		got.expect(t, http.StatusSeeOther)
		if i == 0 {
			first = got
		}
		if got.to() != "/signup?sent=1" || got.body != first.body || len(got.Cookies()) != 0 {
			t.Errorf("%s: %s to %q", email, got.Status, got.to())
		}
		b.get(got.to()).expect(t, http.StatusOK, "Check your mail")
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM users"); n != 1 {
		t.Errorf("%d accounts before the link was opened", n)
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM ceremonies WHERE instr(data, ?) > 0", password); n != 0 {
		t.Error("the password stands in the database")
	}
	if len(sent) != 2 || sent[0].To != "eve@example.com" || sent[1].To != ana.Email || !strings.Contains(sent[1].Text.Reveal(), "It has one already") || signUpLink.MatchString(sent[1].Text.Reveal()) {
		t.Fatalf("sent %d", len(sent))
	}
	link := signUpLink.FindStringSubmatch(sent[0].Text.Reveal())[1]
	at, _ := url.Parse(link)
	code := at.Query().Get("code")
	b := s.browser(t)
	for range 2 { // looking at it, as scanners of mail do, uses nothing up
		b.get(link).expect(t, http.StatusOK, "Your address is confirmed.")
	}
	if got := b.post("/signup/finish", "code", code); got.to() != apps {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	b.get(teamPage).expect(t, http.StatusOK, "Eve You eve@example.com Owner")
	for _, dead := range []string{code, "wrong", ""} {
		s.browser(t).get("/signup/finish?code="+url.QueryEscape(dead)).expect(t, http.StatusNotFound, "This link does not work any more")
		s.browser(t).post("/signup/finish", "code", dead).expect(t, http.StatusNotFound, "This link does not work any more")
	}
	for range 5 { // one address is sent three an hour at most
		s.browser(t).post("/signup", "name", "Eve", "email", "EVE@example.com", "password", password, "team", "x").expect(t, http.StatusSeeOther)
	}
	if len(sent) != 4 {
		t.Errorf("%d mails", len(sent))
	}
}

func TestASignUpLinkExpires(t *testing.T) {
	s := newSite(t, open)
	s.member(t, "northwind", "ana", models.RoleOwner)
	var link string
	s.pages.CatchMail(func(message mail.Message) { link = signUpLink.FindStringSubmatch(message.Text.Reveal())[1] })
	s.browser(t).post("/signup", signUpFields...).expect(t, http.StatusSeeOther)
	s.db.Wait(time.Hour)
	s.browser(t).get(link).expect(t, http.StatusNotFound, "This link does not work any more")
}
