package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const (
	teamPage      = "/user/team"
	formerEmail   = "jonas@northwind.example"
	teamlessEmail = "kim@northwind.example"
	twoTeamsEmail = "olu@eastwind.example"
)

// people is what the pages of a team's people show.
type people struct {
	open               *server // where anyone may sign up
	link               string  // of an invitation that is pending
	invitation, former string  // paths below the Team page
	viewer             string
}

// peopleOf gives Northwind a pending invitation, somebody who left and has seen values,
// and a member who is also in another team; Kim is in none.
func (w *world) peopleOf(t testing.TB, ana *client) people {
	t.Helper()
	var p people
	for _, who := range [][4]string{
		{formerEmail, "Jonas Weber", "Northwind", "developer"}, {teamlessEmail, "Kim Sato", "Northwind", "viewer"}, {twoTeamsEmail, "Oluwaseun Adebayo", "Eastwind", "owner"},
	} {
		addUser(t, w.s.dir, who[0], who[1], who[2], who[3])
	}
	jonas := signIn(t, w.s, formerEmail)
	jonas.reveal(w.bot + "/secret")
	jonas.reveal(jonas.generate(w.bot, "migration"))
	jonas.deed(w.bot+"/keys", url.Values{"name": {"Laptop of Jonas"}, "key": {newSigner(t).public(t)}})
	signIn(t, w.s, teamlessEmail).post(teamPage+"/leave", url.Values{})
	id := idIn(t, ana, "/user/team/members/([^/]+)/remove", "Jonas Weber")
	ana.deed(teamPage+"/members/"+id+"/remove", nil)
	p.former = teamPage + "/seen/" + id
	p.viewer = teamPage + "/members/" + idIn(t, ana, "/user/team/members/([^/]+)/remove", "Vera Lindqvist")

	joins, _ := ana.invite(twoTeamsEmail, "viewer")
	signIn(t, w.s, twoTeamsEmail).deed("/invitations", url.Values{"code": {codeOf(t, joins)}})
	p.link, p.invitation = ana.invite("sam@northwind.example", "developer")

	dir := t.TempDir()
	addUser(t, dir, ownerEmail, "Ana Ruiz", "Northwind", "owner")
	p.open = startIn(t, dir, "--signup", "open")
	return p
}

// invite makes an invitation and returns its link and its path.
func (c *client) invite(email, role string) (link, at string) {
	c.t.Helper()
	page := c.deed(teamPage+"/invitations", url.Values{"email": {email}, "role": {role}})
	found := regexp.MustCompile(`action="(/user/team/invitations/[^/]+)/link"`).FindStringSubmatch(page.body) // the one just made comes first
	if found == nil {
		c.t.Fatalf("no invitation on\n%s", page.body)
	}
	r := c.request(http.MethodPost, found[1]+"/link", "")
	r.Header.Set("Accept", "application/json")
	var answer struct{ Value string }
	if got := c.do(r); json.Unmarshal([]byte(got.body), &answer) != nil || got.status != http.StatusOK {
		c.t.Fatalf("showing the link: %d %s", got.status, got.body)
	}
	return strings.TrimPrefix(answer.Value, c.base), found[1]
}

func codeOf(t testing.TB, link string) string {
	t.Helper()
	at, err := url.Parse(link)
	if err != nil || at.Query().Get("code") == "" {
		t.Fatalf("%q is no invitation link (%v)", link, err)
	}
	return at.Query().Get("code")
}

// idIn finds the ID in an address of the row that names somebody.
func idIn(t testing.TB, c *client, address, name string) string {
	t.Helper()
	_, row, ok := strings.Cut(c.get(teamPage).body, "<bdi>"+name+"</bdi>")
	found := regexp.MustCompile(address).FindStringSubmatch(row)
	if !ok || found == nil {
		t.Fatalf("the Team page has no row of %s", name)
	}
	return found[1]
}

// ofPeople is the pages of people and teams, and the ways into a team.
func (w *world) ofPeople(theme string) []view {
	p := w.people
	return []view{
		{name: "invitation", show: opened(p.link)},
		{name: "invitation errors", status: 422, show: func(t *tab) {
			t.open(p.link)
			t.whole().fill("Your name", "\u200b")
			t.whole().fill("Password", "northwind-northwind")
			t.whole().follow("button", "Create account and join")
			t.sees("Enter a name.")
		}},
		{name: "invitation gone", status: 404, show: opened("/invitations?code=x")},
		{name: "signup", show: opened(p.open.base + "/signup")},
		{name: "signup taken", status: 422, show: func(t *tab) {
			t.open(p.open.base + "/signup")
			for field, text := range map[string]string{"Team name": "Northwind", "Your name": "Ana", "Email": ownerEmail, "Password": password} {
				t.whole().fill(field, text)
			}
			t.whole().follow("button", "Create account")
			t.sees("This email cannot be used for a new account.")
		}},
		{name: "signup sent", show: opened(p.open.base + "/signup?sent=1")},
		{name: "login signup", show: opened(p.open.base + "/login")},

		{name: "team", email: ownerEmail, show: opened(teamPage)},
		{name: "team invited", email: ownerEmail, show: func(t *tab) {
			t.open(teamPage)
			d := t.whole().dialog("link", "Invite Member", "Invite Member")
			d.fill("Email", theme+"@northwind.example")
			d.follow("button", "Create invitation")
			t.announces("Invitation created")
		}},
		{name: "team link shown", email: ownerEmail, show: func(t *tab) {
			t.open(teamPage)
			t.postForm("button", "Show link for sam@northwind.example")
			t.whole().find("link", "Hide link for sam@northwind.example")
		}},
		{name: "invite errors", email: ownerEmail, status: 422, show: func(t *tab) {
			t.open(teamPage + "/invitations")
			t.whole().fill("Email", viewerEmail)
			t.whole().follow("button", "Create invitation")
			t.sees("is a member of this team already.")
		}},
		{name: "invitation cancel", email: ownerEmail, show: opened(p.invitation + "/cancel")},
		{name: "member role", email: ownerEmail, show: opened(p.viewer + "/role")},
		{name: "member remove", email: ownerEmail, show: opened(p.viewer + "/remove")},
		{name: "team leave last", email: ownerEmail, status: 422, show: func(t *tab) {
			t.open(teamPage + "/leave")
			t.whole().follow("button", "Leave team")
			t.sees("A team needs at least one owner.")
		}},
		{name: "team rename", email: ownerEmail, show: opened(teamPage + "/edit")},
		{name: "seen", email: ownerEmail, show: opened(p.former)},
		{name: "invitation other account", email: ownerEmail, show: opened(p.link)},
		{name: "team viewer", email: viewerEmail, show: opened(teamPage)},
		{name: "switcher", email: twoTeamsEmail, scope: ".topbar", show: func(t *tab) {
			t.open(applications)
			t.whole().click(menuRole, "Account: Oluwaseun Adebayo")
			t.whole().find("button", "Eastwind Owner")
		}},
		{name: "no team", email: teamlessEmail, status: 403, show: opened(applications)},
	}
}
