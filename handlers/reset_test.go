package handlers_test

import (
	"bytes"
	stdcontext "context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/mail/mailtest"
	"github.com/latchkey/latchkey/models"
)

const chosenPassword = "eleven herons over Quimper"

var linkInPage = regexp.MustCompile(`<code data-revealed>http://127\.0\.0\.1:8080(/reset\?code=[^<]+)</code>`)

func shownLink(t *testing.T, page answer) string {
	t.Helper()
	found := linkInPage.FindStringSubmatch(page.body)
	if found == nil {
		t.Fatalf("no link in %s", page.text())
	}
	return found[1]
}

var linkInMail = regexp.MustCompile(`(?m)^http://127\.0\.0\.1:8080(/reset\?code=\S+)$`)

func mailedLink(t *testing.T, m mailtest.Mail) string {
	t.Helper()
	found := linkInMail.FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("no link in %q", m.Text)
	}
	return found[1]
}

// withMail is a site that sends mail through a real server.
func withMail(t *testing.T, server *mailtest.Server) *site {
	t.Helper()
	server.Start(t, "")
	parsed, problem := mail.ParseServer(server.URL())
	if problem != "" {
		t.Fatal(problem)
	}
	mailer := mail.New(t.Context(), parsed, slog.New(slog.DiscardHandler), time.Now)
	t.Cleanup(func() { _ = mailer.Close(stdcontext.Background()) })
	return newSite(t, func(d *handlers.Deps) { d.Mail = mailer })
}

// S14, S15: an operator makes a link and chooses no password; it works once, for an hour,
// ends all sessions, and sets a password that the rules allow.
func TestResetLink(t *testing.T) {
	s := newSite(t)
	op := s.operator(t, "contoso", "op")
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	before, b := s.signedIn(t, ana), s.signedIn(t, op)
	b.get("/admin/users/"+ana.UserID+"/link").expect(t, http.StatusOK, "Password link for ana", "Show link")
	if strings.Contains(b.get("/admin/users/"+ana.UserID+"/link").text(), "Mail link") {
		t.Error("mail is offered without a server")
	}
	page := b.post("/admin/users/"+ana.UserID+"/link", "send", "mail", "password", chosenPassword)
	page.expect(t, http.StatusOK, "Password link", "for 1 hour", "shown once")
	if page.Header.Get("Cache-Control") != "no-store" {
		t.Error(page.Header)
	}
	link := shownLink(t, page)
	if code := strings.TrimPrefix(link, "/reset?code="); len(code) < 22 {
		t.Errorf("the code is %q", code)
	}
	stranger := s.browser(t)
	for range 3 { // looking does not use it up
		got := stranger.get(link)
		got.expect(t, http.StatusOK, "Set a new password", "ana")
		if got.Header.Get("Referrer-Policy") != "strict-origin" {
			t.Error("the code may stand in a referer")
		}
	}
	for _, bad := range []string{"", "short", "password1234", strings.Repeat("x", 1025), "northwind ana northwind"} { // S8, S9
		got := stranger.post(link, "password", bad)
		got.expect(t, http.StatusUnprocessableEntity)
		if value, problem := got.field("password"); problem == "" || value != "" {
			t.Errorf("%q: %q %q", bad, value, problem)
		}
	}
	before.get("/user/api_v2/applications").expect(t, http.StatusOK)
	if got := stranger.post(link, "password", chosenPassword); got.to() != "/user/api_v2/applications" {
		t.Fatalf("%s to %q: %s", got.Status, got.to(), got.text())
	}
	if got := before.get("/user/api_v2/applications"); !strings.HasPrefix(got.to(), "/login") {
		t.Errorf("the old session goes on: %s", got.Status)
	}
	stranger.get("/user/api_v2/applications").expect(t, http.StatusOK, "northwind")
	// S7: the link was no proof of identity.
	app, _ := s.application(t, ana, "Bot")
	if got := stranger.post("/user/api_v2/applications/" + app.ID + "/secret/reveal"); !strings.HasPrefix(got.to(), "/confirm") {
		t.Errorf("a value is shown after a link: %s", got.Status)
	}
	s.browser(t).get(link).expect(t, http.StatusNotFound, "This link does not work", "Ask whoever runs Latchkey for a new link.")
	s.browser(t).post(link, "password", "another password of 12").expect(t, http.StatusNotFound, "This link does not work")
	s.browser(t).signIn(ana.Email, password).expect(t, http.StatusUnprocessableEntity)
	if got := s.browser(t).signIn(ana.Email, chosenPassword); got.to() != "/user/api_v2/applications" {
		t.Errorf("%s", got.Status)
	}
}

func TestResetLinksThatDoNotWork(t *testing.T) {
	s := newSite(t)
	op, ana := s.operator(t, "contoso", "op"), s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, op)
	link := shownLink(t, b.post("/admin/users/"+ana.UserID+"/link"))
	for _, path := range []string{"/reset?code=x", link[:len(link)-1], link + "x", strings.ToLower(link) + "%00", "/reset?code=" + strings.Repeat("x", 5000)} {
		s.browser(t).get(path).expect(t, http.StatusNotFound, "This link does not work")
		s.browser(t).post(path, "password", chosenPassword).expect(t, http.StatusNotFound, "This link does not work")
	}
	s.browser(t).get("/reset").expect(t, http.StatusNotFound)
	s.db.Wait(time.Hour)
	s.browser(t).get(link).expect(t, http.StatusNotFound, "This link does not work", "expired")
	s.browser(t).post(link, "password", chosenPassword).expect(t, http.StatusNotFound)
	if got := s.browser(t).signIn(ana.Email, password); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the password was changed: %s", got.Status)
	}
}

func TestOneResetWinsOverHTTP(t *testing.T) { // D8
	s := newSite(t)
	op, ana := s.operator(t, "contoso", "op"), s.member(t, "northwind", "ana", models.RoleOwner)
	link := shownLink(t, s.signedIn(t, op).post("/admin/users/"+ana.UserID+"/link"))
	var wg sync.WaitGroup
	var won atomic.Int32
	for i := range 8 {
		b := s.browser(t)
		wg.Go(func() {
			if b.post(link, "password", fmt.Sprint(chosenPassword, i)).StatusCode == http.StatusSeeOther {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d set the password", won.Load())
	}
}

// Without mail the pages that send it do not exist, and sign-in says whom to ask.
func TestForgottenPasswordWithoutMail(t *testing.T) {
	s := newSite(t)
	s.member(t, "northwind", "ana", models.RoleOwner)
	s.browser(t).get("/login").expect(t, http.StatusOK, "Forgotten your password? Ask whoever runs Latchkey to set a new one.")
	s.browser(t).get("/forgot").expect(t, http.StatusNotFound)
	s.browser(t).post("/forgot", "email", "ana@northwind.example").expect(t, http.StatusNotFound)
}

// S12: nobody learns from it who has an account. G3, G8: the link is of the base address.
func TestForgottenPassword(t *testing.T) {
	server := &mailtest.Server{}
	s := withMail(t, server)
	ana, dan := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "dan", models.RoleViewer)
	disable(t, s, "dan")
	s.browser(t).get("/login").expect(t, http.StatusOK, "Forgotten your password?")
	s.browser(t).get("/forgot").expect(t, http.StatusOK, "Send link")
	for _, bad := range []string{"", "nobody", "ana@northwind.example\r\nBcc: eve@example.com", "Ana <ana@northwind.example>"} {
		got := s.browser(t).post("/forgot", "email", bad)
		got.expect(t, http.StatusUnprocessableEntity)
		if _, problem := got.field("email"); problem == "" {
			t.Errorf("%q: no error", bad)
		}
	}
	var first string
	for _, email := range []string{"nobody@northwind.example", dan.Email, "ANA@northwind.example"} {
		got := s.browser(t).do(http.MethodPost, "/forgot", values("email", email), http.Header{"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}})
		got.expect(t, http.StatusOK, "Check your mail")
		body := strings.ReplaceAll(got.body, email, "EMAIL")
		if first == "" {
			first = body
		} else if body != first {
			t.Errorf("%s gets another page", email)
		}
	}
	got := server.Next(t)
	if got.To != ana.Email || got.Subject() != "Set your Latchkey password" || strings.Contains(got.Text, "evil") || !strings.Contains(got.Text, "until 23 Nov 2026, 17:00 UTC") {
		t.Errorf("%+v", got)
	}
	server.None(t)
	link := mailedLink(t, got)
	if answer := s.browser(t).post(link, "password", chosenPassword); answer.to() != "/user/api_v2/applications" {
		t.Errorf("%s %s", answer.Status, answer.text())
	}
	s.browser(t).get(link).expect(t, http.StatusNotFound, "Send a new link")
}

func TestAskingForLinksIsLimited(t *testing.T) { // S11, S12
	server := &mailtest.Server{}
	s := withMail(t, server)
	s.member(t, "northwind", "ana", models.RoleOwner)
	ask := func(email, from string) int {
		return s.browser(t).do(http.MethodPost, "/forgot", values("email", email), http.Header{"X-Forwarded-For": {from}}).StatusCode
	}
	for _, email := range []string{"ana@northwind.example", "nobody@northwind.example"} {
		for i, want := range []int{200, 200, 200, 429} {
			if got := ask(email, "192.0.2.1"); got != want {
				t.Errorf("%s, try %d: %d", email, i+1, got)
			}
		}
		limited := 0
		for i := range 12 {
			if ask(email, fmt.Sprint("192.0.2.", 10+i)) == 429 {
				limited++
			}
		}
		if limited != 5 {
			t.Errorf("%s: %d refused from elsewhere", email, limited)
		}
	}
	limited := 0
	for i := range 30 {
		if ask(fmt.Sprintf("nobody%d@northwind.example", i), "192.0.2.99") == 429 {
			limited++
		}
	}
	if limited != 10 {
		t.Errorf("%d refused of one address", limited)
	}
	s.db.Wait(time.Hour)
	if got := ask("ana@northwind.example", "192.0.2.1"); got != http.StatusOK {
		t.Errorf("an hour later: %d", got)
	}
}

// A2, O9: no log line holds a code.
func TestResetCodesAreNotLogged(t *testing.T) {
	var log lockedBuffer
	s := newSite(t, func(d *handlers.Deps) { d.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	op, ana := s.operator(t, "contoso", "op"), s.member(t, "northwind", "ana", models.RoleOwner)
	link := shownLink(t, s.signedIn(t, op).post("/admin/users/"+ana.UserID+"/link"))
	b := s.browser(t)
	b.get(link)
	b.post(link, "password", "short")
	b.do(http.MethodPost, link, values("password", chosenPassword), http.Header{"Sec-Fetch-Site": {"cross-site"}}).expect(t, http.StatusForbidden)
	b.post(link, "password", chosenPassword)
	b.get(link)
	text := log.String()
	if code := strings.TrimPrefix(link, "/reset?code="); strings.Contains(text, code) || strings.Contains(text, "herons") || !strings.Contains(text, `"route":"/reset"`) {
		t.Error(text)
	}
	for _, event := range s.db.Events(t, "") {
		if strings.Contains(fmt.Sprintf("%+v", event), strings.TrimPrefix(link, "/reset?code=")) {
			t.Errorf("%+v", event)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// An operator mails a link, and it stands in no page.
func TestOperatorMailsALink(t *testing.T) {
	server := &mailtest.Server{}
	s := withMail(t, server)
	op, ana := s.operator(t, "contoso", "op"), s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, op)
	path := "/admin/users/" + ana.UserID
	b.get(path+"/link").expect(t, http.StatusOK, "By mail it goes to ana@northwind.example", "Show link", "Mail link")
	got := b.post(path+"/link", "send", "mail")
	if got.to() != path || strings.Contains(got.body, "/reset?") {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	b.get(path).expect(t, http.StatusOK, "A link to set a password is on its way to ana@northwind.example.")
	s.browser(t).get(mailedLink(t, server.Next(t))).expect(t, http.StatusOK, "Set a new password")
	made := b.post("/admin/teams/new", "team", "Southwind", "name", "Ben", "email", "ben@southwind.example", "send", "mail")
	if made.to() != "/admin/teams" {
		t.Fatalf("%s %s", made.Status, made.text())
	}
	mailed := server.Next(t)
	if mailed.To != "ben@southwind.example" || !strings.Contains(mailed.Text, "until 30 Nov 2026, 16:00 UTC") {
		t.Errorf("%+v", mailed)
	}
	b.post(path+"/link", "send", "x").expect(t, http.StatusOK, "shown once")
	server.None(t)
}

// The deed that waits for a proof of identity goes on afterwards, and the link is shown then.
func TestLinkAfterAFreshProof(t *testing.T) {
	s := newSite(t)
	op, ana := s.operator(t, "contoso", "op"), s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, op)
	s.db.Wait(16 * time.Minute)
	to := b.post("/admin/users/" + ana.UserID + "/link").to()
	page := b.get(to)
	deed, _ := page.field("deed")
	next, _ := page.field("next")
	if next != "/admin/users/"+ana.UserID {
		t.Errorf("Cancel leads to %q", next)
	}
	shownLink(t, b.post("/confirm", "password", password, "next", next, "deed", deed))
}

func TestTestMail(t *testing.T) {
	server := &mailtest.Server{}
	s := withMail(t, server)
	op := s.operator(t, "contoso", "op")
	b := s.signedIn(t, op)
	b.get("/admin/server").expect(t, http.StatusOK, "Mail server smtp://127.0.0.1:", "no TLS, on this machine", `"Latchkey" <latchkey@northwind.example>`, "Send test mail", op.Email)
	if got := b.post("/admin/server/mail", "to", "eve@example.com"); got.to() != "/admin/server" {
		t.Fatalf("%s", got.Status)
	}
	b.get("/admin/server").expect(t, http.StatusOK, "The mail server took the test mail. It said: 2.0.0 OK")
	if got := server.Next(t); got.To != op.Email || got.Subject() != "Test mail from Latchkey" {
		t.Errorf("%+v", got)
	}
	server.Stop()
	b.post("/admin/server/mail")
	b.get("/admin/server").expect(t, http.StatusOK, "The test mail did not go out: the mail server cannot be used: dial", "connection refused")
	s.member(t, "northwind", "ana", models.RoleOwner)
	if event := s.db.Events(t, "")[2]; event.Action != models.AuditTestMail || event.Detail != "not taken" {
		t.Errorf("%+v", event)
	}
}
