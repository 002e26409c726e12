package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

const onWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"

// signedInFrom signs in with another browser.
func (s *site) signedInFrom(t *testing.T, actor models.Actor, userAgent, address string) *browser {
	t.Helper()
	b := s.browser(t)
	got := b.do(http.MethodPost, "/login", values("email", actor.Email, "password", password), http.Header{"User-Agent": {userAgent}, "X-Forwarded-For": {address}})
	if got.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing in: %s", got.Status)
	}
	return b
}

// endings are the forms of a page that end a session.
func (a answer) endings() []string {
	var found []string
	for part := range strings.SplitSeq(a.body, `action="`) {
		if path, _, _ := strings.Cut(part, `"`); strings.HasPrefix(path, profilePage+"/sessions/") && path != profilePage+"/sessions/end" {
			found = append(found, path)
		}
	}
	return found
}

// S6: Profile lists where one is signed in, and ends one or all of it.
func TestSessionsAreListedAndEnded(t *testing.T) {
	s, ana, b := profiled(t)
	eve := s.signedIn(t, s.member(t, "northwind", "eve", models.RoleOwner))
	if page := b.get(profilePage); len(page.endings()) != 0 || strings.Contains(page.text(), "End all other sessions") {
		t.Error("the only session can be ended from itself")
	}
	s.db.Wait(time.Minute)
	windows := s.signedInFrom(t, ana, onWindows, "198.51.100.7")
	s.db.Wait(3 * time.Minute)
	page := b.get(profilePage)
	page.expect(t, http.StatusOK, "Firefox on Windows", "198.51.100.7", "3 minutes ago with a password", "This one", "End all other sessions")
	endings := page.endings()
	if len(endings) != 1 {
		t.Fatalf("%d sessions can be ended", len(endings))
	}
	// D3: another person's does not exist, also within the team.
	eve.post(endings[0]).expect(t, http.StatusNotFound)
	eve.post(profilePage+"/sessions/end").expect(t, http.StatusSeeOther)
	windows.get(profilePage).expect(t, http.StatusOK)
	// What a form names a session by opens nothing, and is no part of what the cookie carries.
	ref := strings.Split(endings[0], "/")[4]
	for _, tried := range []string{ref, windows.cookie("latchkey_session").Value + ref} {
		if got := s.browser(t).do(http.MethodGet, profilePage, nil, http.Header{"Cookie": {"latchkey_session=" + tried}}); got.StatusCode != http.StatusSeeOther {
			t.Errorf("a form's name opens the session: %s", got.Status)
		}
	}
	if strings.Contains(page.body, b.cookie("latchkey_session").Value) {
		t.Error("the page holds the cookie")
	}
	replayed := windows.cookie("latchkey_session").Value
	b.post(endings[0]).expect(t, http.StatusSeeOther)
	b.get(profilePage).expect(t, http.StatusOK, "The session was ended.", "Session ended Firefox on Windows, 198.51.100.7")
	windows.signedOut(t)
	if got := s.browser(t).do(http.MethodGet, profilePage, nil, http.Header{"Cookie": {"latchkey_session=" + replayed}}); got.StatusCode != http.StatusSeeOther { // S3
		t.Errorf("a replayed cookie works: %s", got.Status)
	}
	b.post(endings[0]).expect(t, http.StatusNotFound)

	others := []*browser{s.signedIn(t, ana), s.signedIn(t, ana)}
	b.post(profilePage+"/sessions/end").expect(t, http.StatusSeeOther)
	b.get(profilePage).expect(t, http.StatusOK, "All your other sessions were ended.", "Other sessions ended 2 sessions")
	for _, other := range others {
		other.signedOut(t)
	}
	eve.get(profilePage).expect(t, http.StatusOK)
}

// What ended by time is not listed, swept or not; and the own session is signed out.
func TestEndingOnesOwnSession(t *testing.T) {
	s, ana, b := profiled(t)
	s.db.Wait(11 * time.Hour)
	b.get(profilePage)
	second := s.signedIn(t, ana)
	own := second.get(profilePage).endings()
	s.db.Wait(2 * time.Hour)
	second.get(profilePage)
	s.db.Wait(10 * time.Hour)
	if got := second.get(profilePage).endings(); len(own) != 1 || len(got) != 0 {
		t.Errorf("%d sessions of %d are left", len(got), len(own))
	}
	ref := ""
	if err := s.db.Raw(t).QueryRowContext(t.Context(), "SELECT ref FROM sessions ORDER BY last_seen_at DESC LIMIT 1").Scan(&ref); err != nil {
		t.Fatal(err)
	}
	second.post("/confirm", "password", password, "next", profilePage).expect(t, http.StatusSeeOther)
	if got := second.post(profilePage + "/sessions/" + ref + "/end"); got.to() != "/login" {
		t.Errorf("ending one's own leads to %q", got.to())
	}
	second.signedOut(t)
}

// S23: Profile says what happened to an account, whoever did it, and mail does where
// there is any.
func TestSecurityEvents(t *testing.T) {
	s, ana, b := profiled(t)
	post := &postbox{}
	s.pages.CatchMail(post.Send)
	page := b.get(profilePage)
	page.expect(t, http.StatusOK, "Signed in with a password")
	if strings.Contains(page.text(), "new browser") || strings.Contains(page.text(), "failed") {
		t.Errorf("the first sign-in is news: %s", page.text())
	}
	for range 2 {
		s.browser(t).do(http.MethodPost, "/login", values("email", ana.Email, "password", "wrong password 1"), http.Header{"User-Agent": {onWindows}, "X-Forwarded-For": {"198.51.100.7"}})
	}
	s.db.Wait(time.Hour)
	b.do(http.MethodHead, profilePage, nil, nil)
	b.get(profilePage).expect(t, http.StatusOK, "failed 2 times, the last time 1 hour ago .", "Sign-in failed", "Firefox on Windows", "198.51.100.7")
	if again := b.get(profilePage).text(); strings.Contains(again, "Since you last opened this page") {
		t.Error("the failures are told twice")
	}
	s.signedInFrom(t, ana, onWindows, "198.51.100.7")
	b.get(profilePage).expect(t, http.StatusOK, "with a password, in a new browser")
	b.post("/logout")
	b.signIn(ana.Email, password).expect(t, http.StatusSeeOther) // a browser that is known
	if got := post.to(ana.Email); !slices.Equal(got, []string{"New sign-in to your account"}) {
		t.Errorf("mailed %q", got)
	}
	if text := post.sent[0].Text.Reveal(); !strings.Contains(text, "Browser: Firefox on Windows\nAddress: 198.51.100.7\nTime: 23 Nov 2026, 17:00 UTC") || !strings.Contains(text, "http://127.0.0.1:8080/user/profile\n") {
		t.Errorf("mailed:\n%s", text)
	}
	if err := s.db.SetPassword(t.Context(), models.CommandLine, ana.Email, passwordHash()); err != nil {
		t.Fatal(err)
	}
	eve := s.signedIn(t, s.member(t, "northwind", "eve", models.RoleOwner))
	if got := eve.get(profilePage).text(); strings.Contains(got, "Firefox on Windows") || strings.Contains(got, "failed") { // D3
		t.Error("another person's events are shown")
	}
	b = s.signedIn(t, ana)
	b.get(profilePage).expect(t, http.StatusOK, "Password changed by Command line")
}
