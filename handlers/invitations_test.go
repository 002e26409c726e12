package handlers_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
)

const invitations = teamPage + "/invitations"

// invited makes an invitation and returns the path of its link and its ID.
func (s *site) invited(t *testing.T, owner *browser, team, email, role string) (link, id string) {
	t.Helper()
	if got := owner.post(invitations, "email", email, "role", role); got.to() != teamPage {
		t.Fatalf("inviting %s: %s %s", email, got.Status, got.text())
	}
	rows, err := s.db.Invitations(t.Context(), team)
	if err != nil || len(rows) == 0 {
		t.Fatal(rows, err)
	}
	got := owner.do(http.MethodPost, invitations+"/"+rows[0].ID+"/link", url.Values{}, http.Header{"Accept": {"application/json"}})
	got.expect(t, http.StatusOK)
	const before = `{"value":"http://127.0.0.1:8080`
	if !strings.HasPrefix(got.body, before) {
		t.Fatalf("the link is answered as %s", got.body)
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(got.body), before), `"}`), rows[0].ID
}

func codeOf(t *testing.T, link string) string {
	t.Helper()
	at, err := url.Parse(link)
	if err != nil || at.Path != "/invitations" || len(at.Query().Get("code")) != 22 { // 128 bits
		t.Fatalf("link %q, %v", link, err)
	}
	return at.Query().Get("code")
}

func TestInviteMember(t *testing.T) {
	s, b, ana := owner(t)
	b.get(invitations).expect(t, http.StatusOK, "Invite Member", "You get a link to send them. It works once, for 7 days.")
	bad := b.post(invitations, "email", "\u0430na@example.com", "role", "boss") // a Cyrillic a
	bad.expect(t, http.StatusUnprocessableEntity, "Choose one of the roles shown.")
	if value, problem := bad.field("email"); value != "\u0430na@example.com" || !strings.Contains(problem, "Look-alike letters are not taken.") {
		t.Errorf("%q, %q", value, problem)
	}
	b.post(invitations, "email", "ANA@northwind.example", "role", "owner").expect(t, http.StatusUnprocessableEntity, "ANA@northwind.example is a member of this team already.")

	for range 2 { // a second press makes no second one
		b.post(invitations, "email", "sam@example.com", "role", "viewer", "once", "key").expect(t, http.StatusSeeOther)
	}
	made := b.get(teamPage)
	made.expect(t, http.StatusOK, "Invitation created For sam@example.com . Copy the link and send it to them. It works once, for 7 days.", "Viewer", "Copy link for sam@example.com", "Cancel invitation of sam@example.com")
	if strings.Contains(made.body, "code=") {
		t.Error("the link stands in a page that was not asked for it")
	}
	if again := b.get(teamPage); strings.Contains(again.text(), "Invitation created") {
		t.Error("it is said twice")
	}
	b.post(invitations, "email", "sam@example.com", "role", "viewer").expect(t, http.StatusUnprocessableEntity, "This address has an invitation already.")

	rows, _ := s.db.Invitations(t.Context(), ana.TeamID)
	shown := b.post(invitations + "/" + rows[0].ID + "/link") // without a script: the page that holds it
	shown.expect(t, http.StatusOK, "http://127.0.0.1:8080/invitations?code=", "Hide link for sam@example.com")
	if event := s.db.Events(t, ana.TeamID)[0]; event.Action != models.AuditInvitationShown || event.Target != "sam@example.com" {
		t.Errorf("recorded as %+v", event)
	}
	cancel := invitations + "/" + rows[0].ID + "/cancel"
	b.get(cancel).expect(t, http.StatusOK, "Cancel this invitation?", "The link for sam@example.com stops working at once.")
	b.post(cancel).expect(t, http.StatusSeeOther)
	b.get(teamPage).expect(t, http.StatusOK, "The invitation of sam@example.com was cancelled.", "No pending invitations.")
	b.post(cancel).expect(t, http.StatusNotFound)
	b.post(invitations+"/"+rows[0].ID+"/link").expect(t, http.StatusNotFound)
}

// T2: what the database holds of an invitation opens nothing.
func TestInvitationsAreSealed(t *testing.T) {
	s, b, ana := owner(t)
	link, _ := s.invited(t, b, ana.TeamID, "sam@example.com", "viewer")
	code := codeOf(t, link)
	if s.db.Number(t, "SELECT COUNT(*) FROM invitations WHERE length(code_hash) <> 32") != 0 || s.db.Holds(t, "SELECT sealed FROM invitations UNION ALL SELECT code_hash FROM invitations", code) {
		t.Error("the code stands in the database")
	}
	for _, event := range s.db.Events(t, "") {
		if strings.Contains(event.Detail+event.Target, code) {
			t.Errorf("the code stands in %+v", event)
		}
	}
}

// S8, S9, S14: somebody new sets a password of their own and is signed in.
func TestAcceptAsSomebodyNew(t *testing.T) {
	s, b, ana := owner(t)
	link, _ := s.invited(t, b, ana.TeamID, "Sam@example.com", "developer")
	code := codeOf(t, link)
	sam := s.browser(t)
	page := sam.get(link)
	page.expect(t, http.StatusOK, "Join northwind", "invites you as Developer.", "Already have an account with Sam@example.com ? Sign in, then join.")
	if page.Header.Get("Cache-Control") != "no-store" || page.Header.Get("Referrer-Policy") != "strict-origin" {
		t.Errorf("headers %v", page.Header)
	}
	for password, problem := range map[string]string{
		"short": "Use at least 12 characters.", "password1234": "This password is on lists of leaked passwords.", "northwind-northwind": "Do not use your name, email, team",
	} {
		bad := sam.post("/invitations", "code", code, "name", "Sam", "password", password)
		bad.expect(t, http.StatusUnprocessableEntity, problem)
		if value, _ := bad.field("name"); value != "Sam" {
			t.Error("the name is not kept")
		}
		if value, _ := bad.field("password"); value != "" {
			t.Error("the password comes back")
		}
	}
	sam.post("/invitations", "code", code, "name", " ", "password", password).expect(t, http.StatusUnprocessableEntity, "Enter a name.")
	// D4: the form binds its own fields.
	got := sam.post("/invitations", "code", code, "name", "Sam", "password", password, "email", "eve@example.com", "role", "owner", "team", "x", "operator", "1")
	if got.StatusCode != http.StatusSeeOther || got.to() != apps {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	sam.get(teamPage).expect(t, http.StatusOK, "Sam You Sam@example.com Developer")
	if n := s.db.Number(t, "SELECT COUNT(*) FROM users WHERE email = 'eve@example.com' OR operator"); n != 0 {
		t.Error("a field of another form was bound")
	}
	s.browser(t).get(link).expect(t, http.StatusNotFound, "This invitation does not work any more", "Ask an owner of the team for a new one.")
	s.browser(t).post("/invitations", "code", code, "name", "Eve", "password", password).expect(t, http.StatusNotFound, "Ask an owner of the team for a new one.")
	if got := s.browser(t).signIn("sam@example.com", password); got.StatusCode != http.StatusSeeOther {
		t.Errorf("signing in afterwards: %s", got.Status)
	}
}

// S12, S14: an account that exists proves itself; the page of a stranger is the same for both.
func TestAcceptWithAnAccount(t *testing.T) {
	s, b, ana := owner(t)
	eve := s.member(t, "contoso", "eve", models.RoleOwner)
	sam := s.member(t, "fabrikam", "sam", models.RoleOwner)
	link, _ := s.invited(t, b, ana.TeamID, sam.Email, "viewer")
	fresh, _ := s.invited(t, b, ana.TeamID, "new@fabrikam.example", "viewer")
	code := codeOf(t, link)
	blank := func(page answer, link, email string) string {
		body := strings.NewReplacer(email, "EMAIL", url.QueryEscape(codeOf(t, link)), "CODE").Replace(page.body)
		return strings.ReplaceAll(body, codeOf(t, link), "CODE")
	}
	if blank(s.browser(t).get(link), link, sam.Email) != blank(s.browser(t).get(fresh), fresh, "new@fabrikam.example") {
		t.Error("the page tells that the address has an account")
	}
	stranger := s.browser(t)
	stranger.post("/invitations", "code", code, "name", "Eve", "password", "an eve of her own").expect(t, http.StatusUnprocessableEntity, "An account with this email exists already. Sign in with it to join.")
	if stranger.cookie("latchkey_session") != nil {
		t.Error("a stranger was signed in")
	}

	other := s.signedIn(t, eve)
	other.get(link).expect(t, http.StatusOK, "This invitation is for sam@fabrikam.example , and you are signed in as eve@contoso.example . Sign out to use it.")
	other.post("/invitations", "code", code).expect(t, http.StatusForbidden, "Sign out to use it.")
	if got := other.post("/logout", "next", link); got.to() != link {
		t.Errorf("signing out leads to %q", got.to())
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM members WHERE team_id = ?", ana.TeamID); n != 1 {
		t.Fatalf("%d members", n)
	}

	me := s.browser(t)
	login := "/login?next=" + url.QueryEscape(link)
	if !strings.Contains(me.get(link).body, `href="`+strings.ReplaceAll(login, "&", "&amp;")+`"`) {
		t.Error("the page does not lead to the sign-in and back")
	}
	next, _ := me.get(login).field("next")
	if got := me.post("/login", "email", sam.Email, "password", password, "next", next); got.to() != link {
		t.Fatalf("signed in and led to %q", got.to())
	}
	s.db.Wait(20 * time.Minute)
	me.get(link).expect(t, http.StatusOK, "Join northwind", "invites you as Viewer.")
	if got := me.post("/invitations", "code", code); got.to() != apps {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	me.get(apps).expect(t, http.StatusOK, "You are in northwind now.", "sam@fabrikam.example · Viewer", "Teams", "fabrikam")
	if got := me.post(teamPage + "/leave"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("%s", got.Status)
	}
	me.get(apps).expect(t, http.StatusOK, "You left northwind.", "sam@fabrikam.example · Owner")
	// S7: the invitation was no proof of identity.
	if got := me.get(invitations); !strings.HasPrefix(got.to(), "/confirm?next=") {
		t.Errorf("%s to %q", got.Status, got.to())
	}
}

func TestInvitationsThatDoNotWork(t *testing.T) {
	s, b, ana := owner(t)
	expired, _ := s.invited(t, b, ana.TeamID, "late@example.com", "viewer")
	s.db.Wait(models.InvitationLife)
	b = s.signedIn(t, ana)
	cancelled, id := s.invited(t, b, ana.TeamID, "sam@example.com", "viewer")
	b.post(invitations+"/"+id+"/cancel").expect(t, http.StatusSeeOther)
	used, _ := s.invited(t, b, ana.TeamID, "kim@example.com", "viewer")
	s.browser(t).post("/invitations", "code", codeOf(t, used), "name", "Kim", "password", password).expect(t, http.StatusSeeOther)
	var first string
	for what, link := range map[string]string{
		"expired": expired, "cancelled": cancelled, "used": used, "none": "/invitations", "empty": "/invitations?code=",
		"wrong": "/invitations?code=AAAAAAAAAAAAAAAAAAAAAA", "hostile": "/invitations?code=" + url.QueryEscape(`"><svg onload=alert(1)>`),
	} {
		at, _ := url.Parse(link)
		code := at.Query().Get("code")
		stranger := s.browser(t)
		for _, got := range []answer{stranger.get(link), stranger.post("/invitations", "code", code, "name", "Eve", "password", password)} {
			got.expect(t, http.StatusNotFound, "This invitation does not work any more", "Ask an owner of the team for a new one.")
			if first == "" {
				first = got.body
			}
			if got.body != first {
				t.Errorf("%s: the page tells which it was", what)
			}
		}
		b.get(link).expect(t, http.StatusNotFound, "This invitation does not work any more")
		b.post("/invitations", "code", code).expect(t, http.StatusNotFound, "This invitation does not work any more")
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM users"); n != 2 {
		t.Errorf("%d accounts", n)
	}
}

// A2: the code of a link is in no log.
func TestCodesAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	s := newSite(t, func(deps *handlers.Deps) { deps.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	link, _ := s.invited(t, s.signedIn(t, ana), ana.TeamID, "sam@example.com", "viewer")
	code := codeOf(t, link)
	sam := s.browser(t)
	sam.get(link)
	sam.do(http.MethodGet, "/static/nothing.css", nil, http.Header{"Referer": {s.URL + link}})
	sam.get("/login?next=" + url.QueryEscape(link))
	sam.post("/invitations", "code", code, "name", "", "password", "x")
	sam.post("/invitations", "code", code, "name", "Sam", "password", password)
	sam.get(link)
	if !strings.Contains(log.String(), "route=/invitations") || !strings.Contains(log.String(), "invitation does not work") {
		t.Errorf("the log has no lines of it:\n%s", log.String())
	}
	if strings.Contains(log.String(), code) {
		t.Errorf("the code stands in\n%s", log.String())
	}
}

// G8: the mail holds the link and its header holds nothing that was typed but the names.
func TestInvitationsAreMailed(t *testing.T) {
	s, b, ana := owner(t)
	var sent []mail.Message
	s.pages.CatchMail(func(message mail.Message) { sent = append(sent, message) })
	b.get(invitations).expect(t, http.StatusOK, "A link is mailed to them, and you can copy it too.")
	for range 2 {
		b.post(invitations, "email", "sam@example.com", "role", "viewer", "once", "key").expect(t, http.StatusSeeOther)
	}
	b.get(teamPage).expect(t, http.StatusOK, "The link was mailed to them.")
	if len(sent) != 1 || sent[0].To != "sam@example.com" || sent[0].Subject != "Join northwind in Latchkey" {
		t.Fatalf("sent %+v", sent)
	}
	rows, _ := s.db.Invitations(t.Context(), ana.TeamID)
	got := b.do(http.MethodPost, invitations+"/"+rows[0].ID+"/link", url.Values{}, http.Header{"Accept": {"application/json"}})
	link := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(got.body), `{"value":"`), `"}`)
	if !strings.Contains(sent[0].Text.Reveal(), "\n\n"+link+"\n\n") || !strings.Contains(sent[0].Text.Reveal(), "as Viewer.") {
		t.Errorf("the text is %q, the link %q", sent[0].Text.Reveal(), link)
	}
}

// R1: a team does not have the operator's server mail without end, least of all to one
// address: inviting and cancelling again and again counts.
func TestInvitationMailsAreBounded(t *testing.T) {
	s, b, ana := owner(t)
	post := &postbox{}
	s.pages.CatchMail(post.Send)
	again := func(email string) answer {
		got := b.post(invitations, "email", email, "role", "viewer")
		if _, err := s.db.Raw(t).ExecContext(t.Context(), "DELETE FROM invitations"); err != nil {
			t.Fatal(err)
		}
		return got
	}
	for range 5 {
		again("sam@example.com").expect(t, http.StatusSeeOther)
	}
	if got := len(post.to("sam@example.com")); got != 3 {
		t.Errorf("%d mails to one address", got)
	}
	var last answer
	for i := range models.MaxInvitations {
		last = again(fmt.Sprint("sam", i, "@example.com"))
	}
	last.expect(t, http.StatusTooManyRequests)
	if n := len(post.sent); n > models.MaxInvitations {
		t.Errorf("%d mails", n)
	}
	s.db.Wait(time.Hour)
	b = s.signedIn(t, ana)
	again("sam@example.com").expect(t, http.StatusSeeOther)
	if got := len(post.to("sam@example.com")); got != 4 {
		t.Errorf("%d mails an hour later", got)
	}
}
