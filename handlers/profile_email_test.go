package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// S5: without mail a new email takes effect at once, by the current password.
func TestEmailIsChangedAtOnce(t *testing.T) {
	s, ana, b := profiled(t)
	s.member(t, "northwind", "jonas", models.RoleViewer)
	other, before := s.signedIn(t, ana), b.cookie("latchkey_session").Value
	for _, bad := range []struct{ email, password, field, problem string }{
		{"nobody", password, "email", "Enter an email address such as"},
		{"", password, "email", "Enter an email address."},
		{"a@b.example\r\nBcc: eve@example.com", password, "email", "Enter an email address such as"}, // G8
		{ana.Email, password, "email", "This is your email already."},
		{"JONAS@Northwind.example", password, "email", "An account with this email exists already."},
		{"jo\u200bnas@northwind.example", password, "email", "Look-alike letters are not taken."},
		{"ſtranger@northwind.example", password, "email", "Look-alike letters are not taken."},
		{"stranger@northwind.example", "wrong password 1", "password", "That is not your password."},
	} {
		got := b.post(profilePage+"/email", "email", bad.email, "password", bad.password)
		got.expect(t, http.StatusUnprocessableEntity)
		if _, problem := got.field(bad.field); !strings.Contains(problem, bad.problem) {
			t.Errorf("%q: %q beside %s", bad.email, problem, bad.field)
		}
		if value, _ := got.field("email"); strings.ReplaceAll(value, "\n", "\r\n") != bad.email {
			t.Errorf("typed %q, shown again %q", bad.email, value)
		}
	}
	if got := b.post(profilePage+"/email", "email", " Ana.Ruiz@b.example ", "password", password); got.to() != profilePage {
		t.Fatalf("%s: %s", got.Status, got.text())
	}
	b.get(profilePage).expect(t, http.StatusOK, "You sign in as Ana.Ruiz@b.example from now on.", "Email changed to Ana.Ruiz@b.example")
	other.signedOut(t)
	if b.cookie("latchkey_session").Value == before { // S2
		t.Error("the session kept its ID")
	}
	s.browser(t).signIn(ana.Email, password).expect(t, http.StatusUnprocessableEntity)
	if got := s.browser(t).signIn("ana.ruiz@B.example", password); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the new email: %s", got.Status)
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE action = ? AND actor_id = ? AND target_id = ? AND changes LIKE '%ana@northwind.example%Ana.Ruiz@b.example%'",
		models.AuditEmailChanged, ana.UserID, ana.UserID); n != 1 {
		t.Errorf("recorded %d times", n)
	}
	// Another case of one's own is no other account's.
	if got := b.post(profilePage+"/email", "email", "ANA.ruiz@b.example", "password", password); got.to() != profilePage {
		t.Errorf("another case: %s", got.Status)
	}
}

// S14: with mail the new address has to be read first, and the old one is told.
func TestEmailIsConfirmedByMail(t *testing.T) {
	s, ana, b := profiled(t)
	eve := s.signedIn(t, s.member(t, "contoso", "eve", models.RoleOwner))
	post := &postbox{}
	s.pages.CatchMail(post.Send)
	ask := func(email string) string {
		b.post(profilePage+"/email", "email", email, "password", password).expect(t, http.StatusSeeOther)
		b.get(profilePage).expect(t, http.StatusOK, "A link was sent to "+email+".", ana.Email)
		return post.link(t, email)
	}
	first, link := ask("first@b.example"), ask("ana@b.example")
	if s.db.Holds(t, "SELECT id_hash FROM ceremonies", strings.TrimPrefix(link, profilePage+"/email/confirm?code=")) {
		t.Error("the code is stored as it is")
	}
	over := "This link does not work"
	b.get(first).expect(t, http.StatusNotFound, over) // the later one takes its place
	eve.get(link).expect(t, http.StatusNotFound, over)
	_, code, _ := strings.Cut(link, "?code=")
	eve.post(profilePage+"/email/confirm", "code", code).expect(t, http.StatusNotFound, over)
	if got := s.browser(t).get(link); !strings.HasPrefix(got.to(), "/login?next=") {
		t.Errorf("a stranger opens the link: %s", got.Status)
	}
	other := s.signedIn(t, ana)
	for range 2 { // mail programs open links on their own
		b.get(link).expect(t, http.StatusOK, "Change your email?", "ana@b.example")
	}
	if got := b.post(profilePage+"/email/confirm", "code", code); got.to() != profilePage {
		t.Fatalf("%s: %s", got.Status, got.text())
	}
	b.get(profilePage).expect(t, http.StatusOK, "You sign in as ana@b.example from now on.")
	other.signedOut(t)
	b.post(profilePage+"/email/confirm", "code", code).expect(t, http.StatusNotFound, over)
	if got := post.to(ana.Email); !slices.Equal(got, []string{"A new email was asked for", "A new email was asked for", "New sign-in to your account", "Your email was changed"}) {
		t.Errorf("told the old address %q", got)
	}
	for _, message := range post.sent {
		if text := message.Text.Reveal(); message.To == ana.Email && strings.Contains(text, code) || !strings.Contains(text, "http://127.0.0.1:8080") {
			t.Errorf("mail to %s:\n%s", message.To, text)
		}
	}
}

func TestEmailLinkEnds(t *testing.T) {
	s, ana, b := profiled(t)
	post := &postbox{}
	s.pages.CatchMail(post.Send)
	ask := func(email string) (code string) {
		b.post(profilePage+"/email", "email", email, "password", password).expect(t, http.StatusSeeOther)
		_, code, _ = strings.Cut(post.link(t, email), "?code=")
		return code
	}
	late := ask("late@b.example")
	s.db.Wait(time.Hour)
	b.post(profilePage+"/email/confirm", "code", late).expect(t, http.StatusNotFound)
	// A new password ends it: whoever asked may have had the old one.
	ended := ask("ended@b.example")
	b.post(profilePage+"/password", "current", password, "new_password", newPassword).expect(t, http.StatusSeeOther)
	b.post(profilePage+"/email/confirm", "code", ended).expect(t, http.StatusNotFound)
	b.post(profilePage+"/password", "current", newPassword, "new_password", password).expect(t, http.StatusSeeOther)
	// Somebody else may have taken the address meanwhile.
	taken := ask("eve@contoso.example")
	s.member(t, "contoso", "eve", models.RoleOwner)
	b.post(profilePage+"/email/confirm", "code", taken).expect(t, http.StatusSeeOther)
	b.get(profilePage).expect(t, http.StatusOK, "An account with this email exists already. Your email was not changed.", ana.Email)
}

// S12: with mail nobody learns which addresses have an account.
func TestEmailOfAnotherAccountLooksTheSame(t *testing.T) {
	s, ana, b := profiled(t)
	eve := s.member(t, "contoso", "eve", models.RoleOwner)
	post := &postbox{}
	s.pages.CatchMail(post.Send)
	var pages []string
	for _, email := range []string{eve.Email, "new@contoso.example"} {
		b.post(profilePage+"/email", "email", email, "password", password).expect(t, http.StatusSeeOther)
		text := b.get(profilePage).text()
		pages = append(pages, strings.ReplaceAll(text[:strings.Index(text, "Recent security events")], email, "EMAIL"))
	}
	if pages[0] != pages[1] {
		t.Errorf("told apart:\n%s\n%s", pages[0], pages[1])
	}
	for _, message := range post.sent {
		if text := message.Text.Reveal(); message.To == eve.Email && (strings.Contains(text, "?code=") || !strings.Contains(text, "There is an account with it already")) {
			t.Errorf("mailed to the owner:\n%s", text)
		}
	}
	for i := 3; i <= 10; i++ {
		b.post(profilePage+"/email", "email", "new@b.example", "password", password).expect(t, http.StatusSeeOther)
	}
	sent := len(post.sent)
	b.post(profilePage+"/email", "email", "new@b.example", "password", password).expect(t, http.StatusTooManyRequests, "Too many attempts.")
	if len(post.sent) != sent || len(post.to(ana.Email)) == 0 {
		t.Error("mail without end")
	}
}

// D8: of many who open the link at once, one changes the email.
func TestEmailLinkIsUsedOnce(t *testing.T) {
	s, ana, b := profiled(t)
	post := &postbox{}
	s.pages.CatchMail(post.Send)
	b.post(profilePage+"/email", "email", "ana@b.example", "password", password).expect(t, http.StatusSeeOther)
	_, code, _ := strings.Cut(post.link(t, "ana@b.example"), "?code=")
	cookie := http.Header{"Cookie": {"latchkey_session=" + b.cookie("latchkey_session").Value}}
	var changed atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		other := s.browser(t)
		wg.Go(func() {
			if got := other.do(http.MethodPost, profilePage+"/email/confirm", values("code", code), cookie); got.to() == profilePage {
				changed.Add(1)
			}
		})
	}
	wg.Wait()
	if n := s.db.Number(t, "SELECT COUNT(*) FROM audit_events WHERE action = ?", models.AuditEmailChanged); changed.Load() != 1 || n != 1 {
		t.Errorf("changed %d times, recorded %d times (%s)", changed.Load(), n, ana.Email)
	}
}
