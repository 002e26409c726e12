package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

const (
	teamPage = "/user/team"
	lastOne  = "A team needs at least one owner. Make someone else an owner first."
)

func TestTeamPage(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	vic := s.member(t, "northwind", "vic", models.RoleViewer)
	s.member(t, "contoso", "eve", models.RoleOwner)
	owner, other := s.signedIn(t, ana), s.signedIn(t, vic)
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE users SET second_factor = TRUE, last_seen_at = 0 WHERE name = 'vic'"); err != nil {
		t.Fatal(err)
	}
	got := owner.get(teamPage)
	got.expect(t, http.StatusOK, "People who can sign in to northwind , and what each may do.", "ana You ana@northwind.example Owner Off Now",
		"vic vic@northwind.example Viewer On Never", "Change role of vic", "Remove vic", "Leave the team", "Invite Member", "Rename team", "No pending invitations.",
		"What each role can do", "Invite, change and remove members Yes No No", "Show, copy and generate tokens Yes Yes No")
	if strings.Contains(got.text(), "eve@") {
		t.Error("the page shows somebody of another team")
	}
	viewer := other.get(teamPage)
	viewer.expect(t, http.StatusOK, "vic You", "Leave the team")
	for _, not := range []string{"Change role", "Remove", "Invite Member", "Rename", "Pending invitations"} {
		if strings.Contains(viewer.text(), not) {
			t.Errorf("a viewer sees %q", not)
		}
	}
}

func TestChangeRolePage(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	jonas := s.member(t, "northwind", "jonas", models.RoleDeveloper)
	owner, developer := s.signedIn(t, ana), s.signedIn(t, jonas)
	page := teamPage + "/members/" + jonas.UserID + "/role"
	owner.get(page).expect(t, http.StatusOK, "Change the role of jonas", "The new role applies from their next page load.", "Can do everything, members included.")
	owner.post(page, "role", "admin").expect(t, http.StatusUnprocessableEntity, "Choose one of the roles shown.")
	owner.post(page).expect(t, http.StatusUnprocessableEntity, "Choose one of the roles shown.")
	developer.get(apps+"/new").expect(t, http.StatusOK)
	if got := owner.post(page, "role", "viewer"); got.to() != teamPage {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	owner.get(teamPage).expect(t, http.StatusOK, "The role of jonas is now Viewer.")
	developer.get(apps+"/new").expect(t, http.StatusForbidden, "Your role, Viewer, does not allow this.") // T4, S2: at once
	own := teamPage + "/members/" + ana.UserID + "/role"
	owner.post(own, "role", "developer").expect(t, http.StatusUnprocessableEntity, lastOne)
	owner.post(page, "role", "owner").expect(t, http.StatusSeeOther)
	owner.post(own, "role", "developer").expect(t, http.StatusSeeOther)
	owner.get(teamPage).expect(t, http.StatusOK, "Your role is now Developer.")
	// The page that was open as an owner does nothing more.
	owner.post(page, "role", "viewer").expect(t, http.StatusForbidden)
	developer.get(teamPage).expect(t, http.StatusOK, "jonas You jonas@northwind.example Owner")
}

// S23: a member is told of a role that changed, once, and not of one that is as it was.
func TestAChangedRoleIsMailed(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	jonas := s.member(t, "northwind", "jonas", models.RoleDeveloper)
	owner := s.signedIn(t, ana)
	var sent []mail.Message
	s.pages.CatchMail(func(message mail.Message) { sent = append(sent, message) })
	for range 2 {
		owner.post(teamPage+"/members/"+jonas.UserID+"/role", "role", "viewer").expect(t, http.StatusSeeOther)
	}
	if len(sent) != 1 || sent[0].To != jonas.Email || sent[0].Subject != "Your role in northwind" ||
		!strings.Contains(sent[0].Text.Reveal(), "is now Viewer. It was Developer. ana changed it.") {
		t.Errorf("sent %d", len(sent))
	}
}

// T4, S3: a removed member's open page leads out, and its posts do nothing.
func TestARemovedMembersOpenPage(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	jonas := s.member(t, "northwind", "jonas", models.RoleOwner)
	app, token := keyed(t, s, ana, "Bot")
	owner, removed := s.signedIn(t, ana), s.signedIn(t, jonas)
	page := apps + "/" + app.ID
	removed.get(page).expect(t, http.StatusOK)
	remove := teamPage + "/members/" + jonas.UserID + "/remove"
	owner.get(remove).expect(t, http.StatusOK, "Remove jonas?", "They are signed out and can no longer sign in to northwind . Applications and tokens that they made keep working.")
	if got := owner.post(remove); got.to() != teamPage {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	owner.get(teamPage).expect(t, http.StatusOK, "jonas was removed.")
	for path, fields := range map[string][]string{
		page + "/revoke": nil, page + "/secret": nil, page + "/tokens/" + token + "/revoke": nil, page + "/delete": {"confirm", "Bot"},
		teamPage + "/members/" + ana.UserID + "/remove": nil, teamPage: {"name", "Mine"}, teamPage + "/invitations": {"email", "x@example.com", "role", "owner"},
	} {
		if got := removed.post(path, fields...); got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.to(), "/login?next=") {
			t.Errorf("%s: %s to %q", path, got.Status, got.to())
		}
	}
	if got := removed.get(page); !strings.HasPrefix(got.to(), "/login?next=") {
		t.Errorf("%s to %q", got.Status, got.to())
	}
	assertGood(t, s, app, token)
	// Signed in again, they are in no team; their posts still do nothing.
	again := s.browser(t)
	if got := again.post("/login", "email", jonas.Email, "password", password, "next", page); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s", got.Status)
	}
	again.get(page).expect(t, http.StatusForbidden, "You are not in a team", "Ask an owner of a team for an invitation.")
	again.post(page+"/revoke").expect(t, http.StatusForbidden, "You are not in a team")
	again.post(remove).expect(t, http.StatusForbidden, "You are not in a team")
	assertGood(t, s, app, token)
	if got := again.post("/logout"); got.to() != "/login" {
		t.Errorf("signing out: %q", got.to())
	}
	owner.post(remove).expect(t, http.StatusNotFound)
}

func TestLeaveTeamPage(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	vic := s.member(t, "northwind", "vic", models.RoleViewer)
	owner, viewer := s.signedIn(t, ana), s.signedIn(t, vic)
	owner.get(teamPage+"/leave").expect(t, http.StatusOK, "Leave northwind ?", "Leave team")
	owner.post(teamPage+"/leave").expect(t, http.StatusUnprocessableEntity, lastOne)
	if got := owner.post(teamPage + "/members/" + ana.UserID + "/remove"); got.to() != teamPage+"/leave" {
		t.Errorf("removing oneself: %s to %q", got.Status, got.to())
	}
	if got := viewer.post(teamPage + "/leave"); got.to() != apps {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	viewer.get(apps).expect(t, http.StatusForbidden, "You left northwind.", "You are not in a team")
	viewer.post(teamPage+"/leave").expect(t, http.StatusForbidden, "You are not in a team")
	if event := s.db.Events(t, ana.TeamID)[0]; event.Action != models.AuditMemberLeft || event.ActorID != vic.UserID {
		t.Errorf("recorded as %+v", event)
	}
}

func TestRenameTeamPage(t *testing.T) {
	s, b, actor := owner(t)
	b.get(teamPage+"/edit").expect(t, http.StatusOK, "Rename team")
	bad := b.post(teamPage, "name", "\u200b")
	bad.expect(t, http.StatusUnprocessableEntity, "Enter a name.")
	if value, problem := bad.field("name"); value != "\u200b" || problem != "Enter a name." {
		t.Errorf("%q, %q", value, problem)
	}
	b.post(teamPage, "name", " Nordwind ").expect(t, http.StatusSeeOther)
	b.get(teamPage).expect(t, http.StatusOK, "The team is now called Nordwind.", "People who can sign in to Nordwind")
	if event := s.db.Events(t, actor.TeamID)[0]; event.Action != models.AuditTeamRenamed || event.Target != "Nordwind" {
		t.Errorf("recorded as %+v", event)
	}
}

// D3: members, invitations and lists of another team are those of a random ID.
func TestAnotherTeamsPeopleDoNotExist(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	jonas := s.member(t, "northwind", "jonas", models.RoleDeveloper)
	eve := s.member(t, "contoso", "eve", models.RoleOwner)
	s.application(t, jonas, "Bot")
	s.signedIn(t, ana).post(teamPage+"/invitations", "email", "sam@example.com", "role", "viewer").expect(t, http.StatusSeeOther)
	rows, err := s.db.Invitations(t.Context(), ana.TeamID)
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	neighbour := s.signedIn(t, eve)
	for _, route := range s.pages.Table() {
		if !strings.Contains(route.Path, ":mid") && !strings.Contains(route.Path, ":iid") {
			continue
		}
		fields := fieldsOf(route)
		if fields != nil {
			fields = values("role", "viewer", "token", "x", "overlap", "0")
		}
		var first string
		for i, id := range []string{jonas.UserID, store.NewID()} {
			if strings.Contains(route.Path, ":iid") && i == 0 {
				id = rows[0].ID
			}
			got := neighbour.do(route.Method, strings.NewReplacer(":mid", id, ":iid", id).Replace(route.Path), fields, nil)
			got.expect(t, http.StatusNotFound)
			body := withoutIDs(strings.NewReplacer(got.Header.Get("X-Request-Id"), "REQUEST", id, "ID").Replace(got.body))
			if i == 0 {
				first = body
			} else if body != first {
				t.Errorf("%s %s answers otherwise than a random ID", route.Method, route.Path)
			}
		}
	}
	if n := s.db.Number(t, "SELECT COUNT(*) FROM members"); n != 3 {
		t.Errorf("%d members", n)
	}
}

// What somebody has seen is offered after their removal until nothing is left.
func TestSeenAfterRemoval(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	jonas := s.member(t, "northwind", "jonas", models.RoleDeveloper)
	bot, shown := s.application(t, ana, "Bot")
	_, made := s.application(t, jonas, "Feed")
	developer, owner := s.signedIn(t, jonas), s.signedIn(t, ana)
	page := apps + "/" + bot.ID
	developer.post(page+"/secret/reveal").expect(t, http.StatusOK)
	developer.post(page+"/tokens/"+shown+"/reveal").expect(t, http.StatusOK)
	public, _ := pair(t)
	developer.post(page+"/keys", "name", "Laptop", "key", public).expect(t, http.StatusSeeOther)

	remove, list := teamPage+"/members/"+jonas.UserID+"/remove", teamPage+"/seen/"+jonas.UserID
	owner.get(remove).expect(t, http.StatusOK, "They have seen or added 4 tokens, secrets and public keys that still work. The next page lists them, to be revoked, rotated or removed.")
	developer.get(list).expect(t, http.StatusForbidden)
	if got := owner.post(remove); got.to() != list {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	got := owner.get(list)
	got.expect(t, http.StatusOK, "jonas was removed.", "What jonas has seen", "Tokens to revoke", "Client secrets to rotate", "Generated by them, never shown to them · expires in 5 hours",
		"Shown to them once, just now", "Public keys to remove", "Bot : Laptop , Ed25519 Added by them just now", "How long do the old secrets go on?", "Revoke, rotate and remove")
	if strings.Contains(got.body, "lk_at_") || strings.Contains(got.body, "lk_cs_") || strings.Count(got.body, "checked") != 5 || strings.Contains(got.body, "no program will be able") {
		t.Error("a value stands in the list, or not all is chosen")
	}
	owner.get(teamPage).expect(t, http.StatusOK, "Left the team", "jonas jonas@northwind.example 4 values")
	owner.post(list, "overlap", "0").expect(t, http.StatusUnprocessableEntity, "Choose what to revoke, rotate or remove.")
	owner.post(list, "overlap", "5", "token", shown).expect(t, http.StatusUnprocessableEntity, "Choose one of the times shown for the old secrets.")

	if got := owner.post(list, "token", shown, "token", "nothing", "overlap", "0"); got.to() != list {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	left := owner.get(list)
	left.expect(t, http.StatusOK, "1 token revoked.", "Feed")
	secret, _ := left.field("secret")
	key, _ := left.field("key")
	if got := owner.post(list, "token", made, "secret", secret, "key", key, "overlap", "0"); got.to() != teamPage {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	done := owner.get(teamPage)
	done.expect(t, http.StatusOK, "1 token revoked, 1 secret rotated, 1 public key removed.")
	if strings.Contains(done.text(), "Left the team") {
		t.Error("somebody is listed who knows nothing any more")
	}
	owner.get(list).expect(t, http.StatusNotFound)
	if keys := s.keysOf(t, bot); len(keys) != 0 {
		t.Errorf("the key is there: %+v", keys)
	}
	// The new secret is one that opens.
	owner.post(page+"/secret/reveal").expect(t, http.StatusOK, "lk_cs_")
	owner.get(teamPage+"/seen/"+ana.UserID).expect(t, http.StatusOK, "What ana has seen", "Shown to them once, just now")
}

// Somebody who has only added the last key of an application is told of too, and it can be removed.
func TestTheOnlyKeyAfterRemoval(t *testing.T) {
	s := newSite(t)
	ana, jonas := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "jonas", models.RoleDeveloper)
	bot, _ := s.application(t, ana, "Bot")
	developer, owner := s.signedIn(t, jonas), s.signedIn(t, ana)
	page, list := apps+"/"+bot.ID, teamPage+"/seen/"+jonas.UserID
	public, _ := pair(t)
	const name = `"><svg onload=alert(1)>`
	developer.post(page+"/keys", "name", name, "key", public).expect(t, http.StatusSeeOther)
	owner.post(page+"/secret/remove").expect(t, http.StatusSeeOther)
	remove := teamPage + "/members/" + jonas.UserID + "/remove"
	owner.get(remove).expect(t, http.StatusOK, "They have seen or added 1 token, secret or public key that still works.")
	if got := owner.post(remove); got.to() != list {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	owner.get(teamPage).expect(t, http.StatusOK, "jonas jonas@northwind.example 1 value")
	asked := owner.get(list)
	asked.expect(t, http.StatusOK, "Remove keys", "There is no client secret and no public key of anybody else: without theirs no program will be able to get a token.")
	if strings.Contains(asked.body, "<svg onload") || strings.Contains(asked.text(), "How long do the old secrets go on?") {
		t.Error("a name is not escaped, or old secrets are asked about")
	}
	key, _ := asked.field("key")
	if got := owner.post(list, "key", key); got.to() != teamPage {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	owner.get(teamPage).expect(t, http.StatusOK, "1 public key removed.")
	if keys := s.keysOf(t, bot); len(keys) != 0 {
		t.Errorf("the key is there: %+v", keys)
	}
}

// S7: a change of role goes on where it was once the proof is given.
func TestARoleIsChangedAfterTheProof(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	jonas := s.member(t, "northwind", "jonas", models.RoleDeveloper)
	owner := s.signedIn(t, ana)
	s.db.Wait(15 * time.Minute)
	asked := owner.post(teamPage+"/members/"+jonas.UserID+"/role", "role", "viewer")
	asked.expect(t, http.StatusSeeOther)
	deed, _ := owner.get(asked.to()).field("deed")
	if got := owner.post("/confirm", "password", password, "next", teamPage, "deed", deed); got.to() != teamPage {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	owner.get(teamPage).expect(t, http.StatusOK, "The role of jonas is now Viewer.")
}
