package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
)

const (
	profilePage = "/user/profile"
	newPassword = "eleven herons at noon"
)

// postbox keeps what would be sent.
type postbox struct {
	mu   sync.Mutex
	sent []mail.Message
}

func (p *postbox) Send(message mail.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, message)
}

// to lists the subjects of what was sent to an address.
func (p *postbox) to(address string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var subjects []string
	for _, message := range p.sent {
		if message.To == address {
			subjects = append(subjects, message.Subject)
		}
	}
	return subjects
}

// link is the last address on this site in the last mail to somebody.
func (p *postbox) link(t *testing.T, address string) string {
	t.Helper()
	for _, message := range slices.Backward(p.sent) {
		text := message.Text.Reveal()
		if at := strings.Index(text, "http://127.0.0.1:8080/"); message.To == address && at >= 0 {
			at = strings.LastIndex(text, "http://127.0.0.1:8080/")
			return strings.Fields(text[at+len("http://127.0.0.1:8080"):])[0]
		}
	}
	t.Fatalf("no link to %s in %d mails", address, len(p.sent))
	return ""
}

func profiled(t *testing.T) (s *site, ana models.Actor, b *browser) {
	t.Helper()
	s = newSite(t)
	ana = s.member(t, "northwind", "ana", models.RoleOwner)
	return s, ana, s.signedIn(t, ana)
}

func (b *browser) signedOut(t *testing.T) {
	t.Helper()
	if got := b.get(profilePage); got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.to(), "/login?next=") {
		t.Errorf("still signed in: %s", got.Status)
	}
}

func TestNameIsChanged(t *testing.T) {
	s, ana, b := profiled(t)
	b.get(profilePage).expect(t, http.StatusOK, "Profile", "Sessions", "This one", "Recent security events")
	if got := b.post(profilePage, "name", "  Ana María "); got.to() != profilePage {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get(profilePage).expect(t, http.StatusOK, "Your name is Ana María.", "Account: Ana María")
	event := s.db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditProfileChanged || event.ActorID != ana.UserID || event.TargetID != ana.UserID {
		t.Errorf("recorded as %+v", event)
	}
	var changes string
	if err := s.db.Raw(t).QueryRowContext(t.Context(), "SELECT changes FROM audit_events WHERE id = ?", event.ID).Scan(&changes); err != nil || changes != `[{"field":"name","before":"ana","after":"Ana María"}]` {
		t.Errorf("changes %s %v", changes, err)
	}
	for _, bad := range []string{"", " \u200b", "\u202eana", strings.Repeat("x", 65), "a\x00"} {
		got := b.post(profilePage, "name", bad)
		got.expect(t, http.StatusUnprocessableEntity)
		if value, problem := got.field("name"); problem == "" || strings.TrimSpace(value) != strings.TrimSpace(strings.ReplaceAll(bad, "\x00", "\ufffd")) {
			t.Errorf("%q: typed %q, problem %q", bad, value, problem)
		}
	}
	if got := b.post(profilePage, "name", "<script>alert(1)</script>"); got.to() != profilePage || strings.Contains(b.get(profilePage).body, "<script>alert") { // P1
		t.Error("a name reaches the page as it is")
	}
}

func TestTimeZone(t *testing.T) {
	s, ana, b := profiled(t)
	app, _ := s.application(t, ana, "Bot")
	page := "/user/api_v2/applications/" + app.ID
	b.get(page).expect(t, http.StatusOK, "Times are in UTC.")
	b.post(profilePage+"/time-zone", "time_zone", "America/New_York").expect(t, http.StatusSeeOther)
	b.get(profilePage).expect(t, http.StatusOK, "Times are shown in America/New York.", "Times are in America/New York.")
	b.get(page).expect(t, http.StatusOK, "Times are in America/New York.")
	if got := b.get(page).body; !strings.Contains(got, "23 Nov 2026, 11:00:00 EST") || strings.Contains(got, "16:00:00 UTC") {
		t.Error("times do not follow the zone")
	}
	for _, bad := range []string{"Local", "../../etc/passwd", "Mars/Olympus", "america/new_york", "/etc/localtime", "Europe/Berlin\x00", strings.Repeat("x", 5000)} {
		got := b.post(profilePage+"/time-zone", "time_zone", bad)
		got.expect(t, http.StatusUnprocessableEntity, "Choose one of the time zones shown.")
	}
	b.post(profilePage+"/time-zone", "time_zone", "UTC").expect(t, http.StatusSeeOther)
	b.get(page).expect(t, http.StatusOK, "Times are in UTC.")
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE users SET time_zone = 'Gone/Away'"); err != nil {
		t.Fatal(err)
	}
	b.get(page).expect(t, http.StatusOK, "Times are in UTC.") // one that this host knows no more
}

// S5, S8, S9: a new password wants the current one, is checked like the first, and ends
// every other session.
func TestPasswordIsChanged(t *testing.T) {
	s, ana, b := profiled(t)
	post := &postbox{}
	s.pages.CatchMail(post.Send)
	other := s.signedIn(t, ana)
	before := b.cookie("latchkey_session").Value
	for _, bad := range []struct{ current, next, field, problem string }{
		{password, "short", "new_password", "Use at least 12 characters."},
		{password, strings.Repeat("é", 513), "new_password", "Use at most 1,024 bytes."},
		{password, "passwordpassword", "new_password", "leaked"},
		{password, "northwind-ana-2026", "new_password", "Do not use your name"},
		{password, password, "new_password", "This is your password already."},
		{"not my password 1", newPassword, "current", "That is not your password."},
		{"", newPassword, "current", "That is not your password."},
	} {
		got := b.post(profilePage+"/password", "current", bad.current, "new_password", bad.next)
		got.expect(t, http.StatusUnprocessableEntity)
		if value, problem := got.field(bad.field); !strings.Contains(problem, bad.problem) || value != "" {
			t.Errorf("%s: %q, typed again %q", bad.problem, problem, value)
		}
	}
	other.get(profilePage).expect(t, http.StatusOK)
	if got := b.post(profilePage+"/password", "current", password, "new_password", newPassword); got.to() != profilePage {
		t.Fatalf("%s to %q: %s", got.Status, got.to(), got.text())
	}
	b.get(profilePage).expect(t, http.StatusOK, "Your password was changed. All your other sessions were ended.", "Password changed")
	if b.cookie("latchkey_session").Value == before { // S2
		t.Error("the session kept its ID")
	}
	other.signedOut(t)
	stolen := s.browser(t)
	if got := stolen.do(http.MethodGet, profilePage, nil, http.Header{"Cookie": {"latchkey_session=" + before}}); got.StatusCode != http.StatusSeeOther { // S3
		t.Errorf("the cookie from before still works: %s", got.Status)
	}
	s.browser(t).signIn(ana.Email, password).expect(t, http.StatusUnprocessableEntity)
	if got := s.browser(t).signIn(ana.Email, newPassword); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the new password: %s", got.Status)
	}
	if got := post.to(ana.Email); !slices.Contains(got, "Your password was changed") { // S23
		t.Errorf("mailed %v", got)
	}
	for _, event := range s.db.Events(t, "") {
		if strings.Contains(event.Detail+event.Target, newPassword) {
			t.Errorf("a password stands in %+v", event)
		}
	}
}

// S11: wrong passwords are slowed here as on the confirm page, together with it, and in
// no other session.
func TestGuessingOnProfileIsSlowed(t *testing.T) {
	s, ana, b := profiled(t)
	elsewhere := s.signedIn(t, ana)
	b.post("/confirm", "password", "wrong password 1").expect(t, http.StatusUnprocessableEntity)
	b.post(profilePage+"/email", "email", "new@b.example", "password", "wrong password 1").expect(t, http.StatusUnprocessableEntity, "That is not your password.")
	for range 3 {
		b.post(profilePage+"/password", "current", "wrong password 1", "new_password", newPassword).expect(t, http.StatusUnprocessableEntity)
	}
	for path, fields := range map[string][]string{
		"/confirm": {"password", password}, profilePage + "/password": {"current", password, "new_password", newPassword}, profilePage + "/email": {"email", "new@b.example", "password", password},
	} {
		got := b.post(path, fields...)
		got.expect(t, http.StatusTooManyRequests, "Too many attempts. Try again in 30 seconds.")
		if got.Header.Get("Retry-After") != "30" {
			t.Errorf("%s: Retry-After %q", path, got.Header.Get("Retry-After"))
		}
	}
	if got := elsewhere.post("/confirm", "password", password); got.StatusCode != http.StatusSeeOther {
		t.Errorf("a guesser locks the owner's other session: %s", got.Status)
	}
	s.db.Wait(30 * time.Second)
	if got := b.post("/confirm", "password", password); got.StatusCode != http.StatusSeeOther {
		t.Errorf("after the pause: %s", got.Status)
	}
}

// An account may have no password: one is set after a fresh proof, and nothing is
// answered as if it had an empty one.
func TestAccountWithoutPassword(t *testing.T) {
	s, ana, b := profiled(t)
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE users SET password_hash = ''"); err != nil {
		t.Fatal(err)
	}
	s.browser(t).signIn(ana.Email, "").expect(t, http.StatusUnprocessableEntity)
	s.db.Wait(15 * time.Minute)
	b.get(profilePage).expect(t, http.StatusOK, "Your account has no password yet.", "Confirm that it is you to set a password.")
	if got := b.post(profilePage+"/password", "new_password", newPassword); got.to() != "/confirm?next=%2Fuser%2Fprofile" {
		t.Errorf("a stale session sets a password: %s to %q", got.Status, got.to())
	}
	if pending := s.db.Number(t, "SELECT COUNT(*) FROM sessions WHERE pending <> ''"); pending != 0 {
		t.Error("a password waits in the database")
	}
	b.get("/confirm?next=/user/profile").expect(t, http.StatusOK, "Your account has no password.", "Cancel")
	b.post("/confirm", "password", "").expect(t, http.StatusUnprocessableEntity)
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE sessions SET proven_at = ?", s.db.Now()); err != nil {
		t.Fatal(err)
	}
	if got := b.post(profilePage+"/password", "new_password", newPassword); got.to() != profilePage {
		t.Fatalf("%s: %s", got.Status, got.text())
	}
	if got := s.browser(t).signIn(ana.Email, newPassword); got.StatusCode != http.StatusSeeOther {
		t.Errorf("signing in with it: %s", got.Status)
	}
}

// Profile is open to everybody who is signed in, also without a team.
func TestProfileWithoutATeam(t *testing.T) {
	s, ana, b := profiled(t)
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "DELETE FROM members"); err != nil {
		t.Fatal(err)
	}
	b.get("/user/api_v2/applications").expect(t, http.StatusForbidden)
	b.post(profilePage, "name", "Ana").expect(t, http.StatusSeeOther)
	b.post(profilePage+"/password", "current", password, "new_password", newPassword).expect(t, http.StatusSeeOther)
	b.get(profilePage).expect(t, http.StatusOK, "Your password was changed.", "Password changed", "Signed in")
	s.db.Wait(16 * time.Minute)
	other := s.browser(t)
	other.signIn(ana.Email, newPassword).expect(t, http.StatusSeeOther)
	b.post(profilePage + "/sessions/end")
	_, proof := b.asks(t, profilePage+"/sessions/end")
	proof[1] = newPassword
	if got := b.post("/confirm", proof...); got.to() != profilePage {
		t.Errorf("%s to %q", got.Status, got.to())
	}
	other.signedOut(t)
	if events := s.db.Events(t, ""); events[0].TeamID != "" || events[0].Action != models.AuditSessionsEnded {
		t.Errorf("recorded as %+v", events[0])
	}
}
