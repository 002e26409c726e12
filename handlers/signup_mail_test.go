package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
)

var signUpLink = regexp.MustCompile(`http://127\.0\.0\.1:8080(/signup/finish\?code=\S+)`)

func signUpCode(t *testing.T, link string) string {
	t.Helper()
	at, err := url.Parse(link)
	if err != nil || len(at.Query().Get("code")) != 22 { // 128 bits
		t.Fatalf("link %q, %v", link, err)
	}
	return at.Query().Get("code")
}

// mailedSignUp is a site with mail, and the link that somebody got who filled in fields.
func mailedSignUp(t *testing.T, fields ...string) (s *site, link, code string) {
	t.Helper()
	s = newSite(t, open)
	s.member(t, "northwind", "ana", models.RoleOwner)
	s.pages.CatchMail(func(message mail.Message) {
		if found := signUpLink.FindStringSubmatch(message.Text.Reveal()); found != nil {
			link = found[1]
		}
	})
	s.browser(t).post("/signup", fields...).expect(t, http.StatusSeeOther)
	if link == "" {
		t.Fatal("no link was mailed")
	}
	return s, link, signUpCode(t, link)
}

// S12: where mail goes out, the answer is the same whether or not the address has an account.
func TestSignUpByMail(t *testing.T) {
	s := newSite(t, open)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	var sent []mail.Message
	s.pages.CatchMail(func(message mail.Message) { sent = append(sent, message) })
	var first answer
	for i, email := range []string{"eve@example.com", ana.Email} {
		b := s.browser(t)
		got := b.post("/signup", "name", "Eve", "email", email, "team", "Eve's")
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
	if n := s.db.Number(t, "SELECT COUNT(DISTINCT length(replace(data, ?, 'eve@example.com'))) FROM ceremonies WHERE kind <> 'setup'", ana.Email); n != 1 {
		t.Error("the work differs")
	}
	if len(sent) != 2 || sent[0].To != "eve@example.com" || sent[1].To != ana.Email || !strings.Contains(sent[1].Text.Reveal(), "It has one already") || signUpLink.MatchString(sent[1].Text.Reveal()) {
		t.Fatalf("sent %d", len(sent))
	}
	link := signUpLink.FindStringSubmatch(sent[0].Text.Reveal())[1]
	code := signUpCode(t, link)
	b := s.browser(t)
	for range 2 { // looking at it, as scanners of mail do, uses nothing up
		b.get(link).expect(t, http.StatusOK, "Your address is confirmed.")
	}
	if got := b.post("/signup/finish", "code", code, "password", password); got.to() != apps {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	b.get(teamPage).expect(t, http.StatusOK, "Eve You eve@example.com Owner")
	for _, dead := range []string{code, "wrong", ""} {
		s.browser(t).get("/signup/finish?code="+url.QueryEscape(dead)).expect(t, http.StatusNotFound, "This link does not work any more")
		s.browser(t).post("/signup/finish", "code", dead, "password", password).expect(t, http.StatusNotFound, "This link does not work any more")
		s.browser(t).post("/signup/finish", "code", dead, "password", "short").expect(t, http.StatusNotFound, "This link does not work any more")
	}
	for range 5 { // one address is sent three an hour at most
		s.browser(t).post("/signup", "name", "Eve", "email", "EVE@example.com", "team", "x").expect(t, http.StatusSeeOther)
	}
	if len(sent) != 4 {
		t.Errorf("%d mails", len(sent))
	}
}

// S14: whoever fills in the form with the address of another has no say in its password.
func TestSignUpByMailTakesNoPasswordFromAStranger(t *testing.T) {
	const strangers = "an eve of her own making"
	s, link, code := mailedSignUp(t, "name", "Sam", "email", "sam@example.com", "password", strangers, "team", "Fabrikam")
	page := s.browser(t).get("/signup")
	page.expect(t, http.StatusOK, "You choose a password after that.")
	if strings.Contains(page.body, `type="password"`) {
		t.Error("the first page asks for a password")
	}
	for _, word := range []string{"argon2", "password", strangers} {
		if s.db.Holds(t, "SELECT lower(data) FROM ceremonies", word) {
			t.Error("a password is kept")
		}
	}
	sam := s.browser(t)
	finish := sam.get(link)
	finish.expect(t, http.StatusOK, "Sam", "Fabrikam", "Password")
	if !strings.Contains(finish.body, `value="sam@example.com"`) {
		t.Error("the page does not say for which address")
	}
	sam.post("/signup/finish", "code", code).expect(t, http.StatusUnprocessableEntity, "Use at least 12 characters.")
	if n := s.db.Number(t, "SELECT COUNT(*) FROM users"); n != 1 || sam.cookie("latchkey_session") != nil {
		t.Errorf("%d accounts: one was made without a password of its owner", n)
	}
	// D4: the form binds its own fields.
	if got := sam.post("/signup/finish", "code", code, "password", password, "email", "eve@example.com", "role", "viewer", "operator", "1"); got.to() != apps {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	sam.get(teamPage).expect(t, http.StatusOK, "Sam You sam@example.com Owner")
	s.browser(t).signIn("sam@example.com", strangers).expect(t, http.StatusUnprocessableEntity)
	s.browser(t).signIn("sam@example.com", password).expect(t, http.StatusSeeOther)
}

// A sign-up that waited when the program was renewed has a hash in it: it is not taken.
func TestAnOlderSignUpAsksForThePassword(t *testing.T) {
	const strangers = "an eve of her own making"
	s, link, code := mailedSignUp(t, "name", "Sam", "email", "sam@example.com", "team", "Fabrikam")
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE ceremonies SET data = substr(data, 1, length(data) - 1) || ? WHERE kind <> 'setup'", fmt.Sprintf(`,"PasswordHash":%q,"Operator":true}`, passwordHash())); err != nil {
		t.Fatal(err)
	}
	s.browser(t).get(link).expect(t, http.StatusOK, "Password")
	s.browser(t).post("/signup/finish", "code", code, "password", strangers).expect(t, http.StatusSeeOther)
	s.browser(t).signIn("sam@example.com", password).expect(t, http.StatusUnprocessableEntity)
	s.browser(t).signIn("sam@example.com", strangers).expect(t, http.StatusSeeOther)
	if n := s.db.Number(t, "SELECT COUNT(*) FROM users WHERE operator"); n != 0 {
		t.Error("an operator was made")
	}
}

// S8, S9: the password behind the link is held against the same rules, names included,
// and a wrong one does not use the link up.
func TestSignUpByMailChecksThePassword(t *testing.T) {
	s, _, code := mailedSignUp(t, "name", "Samantha Okafor", "email", "sam@fabrikam.example", "team", "Eastwind")
	b := s.browser(t)
	for typed, problem := range map[string]string{
		"": "Use at least 12 characters.", "short": "Use at least 12 characters.", strings.Repeat("a", 1025): "Use at most 1,024 bytes.",
		"password1234": "This password is on lists of leaked passwords.", "eastwind-eastwind": "Do not use your name, email, team",
		"samantha-okafor": "Do not use your name, email, team", "fabrikam-fabrikam": "Do not use your name, email, team",
	} {
		bad := b.post("/signup/finish", "code", code, "password", typed)
		bad.expect(t, http.StatusUnprocessableEntity, "Samantha Okafor", "Eastwind")
		value, beside := bad.field("password")
		if !strings.HasPrefix(beside, problem) || value != "" {
			t.Errorf("%.20q: %q beside the field, which holds %q", typed, beside, value)
		}
		if kept, _ := bad.field("code"); kept != code {
			t.Error("the code is not kept")
		}
		if bad.Header.Get("Referrer-Policy") != "strict-origin" || bad.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", bad.Header)
		}
	}
	b.post("/signup/finish", "code", code, "password", password).expect(t, http.StatusSeeOther)
}

// The first page still holds its own fields against the rules, and keeps what was typed.
func TestSignUpByMailChecksItsFields(t *testing.T) {
	s, _, _ := mailedSignUp(t, "name", "Sam", "email", "sam@example.com", "team", "Fabrikam")
	bad := s.browser(t).post("/signup", "name", "", "email", "eve", "password", "short", "team", "\u200b")
	bad.expect(t, http.StatusUnprocessableEntity)
	for field, want := range map[string]string{"name": "Enter a name.", "team": "Enter a name.", "email": "Enter an email address such as ana@example.com."} {
		if _, problem := bad.field(field); problem != want {
			t.Errorf("%s: %q", field, problem)
		}
	}
	if value, _ := bad.field("email"); value != "eve" {
		t.Error("what was typed is gone")
	}
	if strings.Contains(bad.body, `type="password"`) {
		t.Error("the page asks for a password")
	}
}

// The link works once, whoever is first, and not for an address that got an account meanwhile.
func TestASignUpLinkWorksOnce(t *testing.T) {
	s, _, code := mailedSignUp(t, "name", "Sam", "email", "sam@example.com", "team", "Fabrikam")
	var all sync.WaitGroup
	var made, gone atomic.Int32
	for range 20 {
		b := s.browser(t)
		all.Go(func() {
			switch b.post("/signup/finish", "code", code, "password", password).StatusCode {
			case http.StatusSeeOther:
				made.Add(1)
			case http.StatusNotFound:
				gone.Add(1)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || gone.Load() != 19 {
		t.Errorf("%d made, %d gone", made.Load(), gone.Load())
	}

	s, _, code = mailedSignUp(t, "name", "Ana", "email", "ana2@northwind.example", "team", "Fabrikam")
	s.member(t, "northwind", "ana2", models.RoleViewer)
	late := s.browser(t)
	late.post("/signup/finish", "code", code, "password", "an eve of her own making").expect(t, http.StatusNotFound, "This link does not work any more")
	if late.cookie("latchkey_session") != nil {
		t.Error("signed in to the account of another")
	}
}

func TestASignUpLinkExpires(t *testing.T) {
	s, link, code := mailedSignUp(t, signUpFields...)
	s.db.Wait(time.Hour)
	s.browser(t).get(link).expect(t, http.StatusNotFound, "This link does not work any more")
	s.browser(t).post("/signup/finish", "code", code, "password", password).expect(t, http.StatusNotFound, "This link does not work any more")
}
