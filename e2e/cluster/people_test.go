package cluster

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/latchkey/latchkey/e2e/harness"
)

// invited makes an invitation and returns the code in its link.
func (w *world) invited(by *person, email, role string) string {
	w.Helper()
	by.deed(teamPage+"/invitations", url.Values{"email": {email}, "role": {role}})
	path, _ := harness.PathOf(by.get(teamPage).body, teamPage, "/link")
	link := by.reveal(path + "/link")
	_, code, ok := strings.Cut(link, "code=")
	if !ok {
		w.Fatalf("the link is %q", link)
	}
	return code
}

// joins invites somebody who accepts on the same node.
func (w *world) joins(by *person, email, role string) *person {
	w.Helper()
	guest := newPerson(w, by.base)
	got := guest.deed("/invitations", url.Values{"code": {w.invited(by, email, role)}, "name": {"Ben Okri"}, "password": {password}})
	if got.path != applications {
		w.Fatalf("joining ended on %s", got.path)
	}
	return guest
}

func signIn(w *world, email string) *person {
	w.Helper()
	p := newPerson(w, w.base)
	if got := p.deed("/login", url.Values{"email": {email}, "password": {password}}); got.path != applications {
		w.Errorf("signing in ended on %s", got.path)
	}
	return p
}

// A browser goes through everything with each request on another node, and what is done on
// one is so on all.
func TestNoStickySessions(t *testing.T) {
	w := newWorld(t, 3)
	ana := w.setUp(0)
	if got := newPerson(t, w.base).post("/login", url.Values{"email": {"ana@northwind.example"}, "password": {"wrong"}}); got.status != http.StatusUnprocessableEntity && got.status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d", got.status)
	}
	app, credentials := ana.credentials("Trading bot")
	w.wantEverywhere("an issued token", ana.newToken(credentials), http.StatusOK)
	w.wantEverywhere("a manual token", ana.reveal(ana.generate(app, "By hand")+"/reveal"), http.StatusOK)

	t.Log("invite, accept, another role")
	ben := w.joins(ana, "ben@northwind.example", "developer")
	if got := ben.get(app); got.status != http.StatusOK {
		t.Errorf("the member sees the application: %d", got.status)
	}
	ana.deed(memberPath(t, ana.get(teamPage).body)+"/role", url.Values{"role": {"viewer"}})
	for _, n := range w.nodes {
		if got := ben.at(n.base).post(app+"/secret/reveal", nil); got.status != http.StatusForbidden {
			t.Errorf("%s lets a viewer see the secret: %d", n.base, got.status)
		}
	}

	t.Log("a session that is ended elsewhere") // S3
	second := signIn(w, "ana@northwind.example")
	ana.deed("/user/profile/sessions/end", nil)
	for _, n := range w.nodes {
		if got := second.at(n.base).get(applications); got.path != "/login" {
			t.Errorf("%s still knows a session that was ended: %s", n.base, got.path)
		}
		if got := ana.at(n.base).get(applications); got.path != applications {
			t.Errorf("%s does not know the session that stays: %s", n.base, got.path)
		}
	}
	ana.deed("/logout", nil)
	for _, n := range w.nodes {
		if got := ana.at(n.base).get(applications); got.path != "/login" {
			t.Errorf("%s still knows a session that signed out: %s", n.base, got.path)
		}
	}
}

// A form that is posted to two nodes at once takes effect once.
func TestFormPostedToTwoNodesAtOnce(t *testing.T) {
	w := newWorld(t, 3)
	ana := w.setUp(0)
	for i := range 10 {
		once := ana.between(ana.get(applications+"/new").body, `name="once" value="`, `"`)
		form := url.Values{"name": {fmt.Sprint("Bot ", i)}, "lifespan": {"3600"}, "once": {once}}
		paths := make([]string, 3)
		each(w.nodes, func(i int, n *node) {
			paths[i] = ana.at(n.base).deed(applications, form).path
		})
		if paths[0] != paths[1] || paths[0] != paths[2] {
			t.Errorf("the posts ended on %v", paths)
		}
	}
	if n := database.number(t, w.name, "SELECT COUNT(*) FROM applications WHERE name LIKE 'Bot %'"); n != 10 {
		t.Errorf("%d applications of 10 forms", n)
	}
}

// Fifty who ask three nodes at once for the temporary token of one member get one.
func TestOneTemporaryToken(t *testing.T) {
	w := newWorld(t, 3)
	ana := w.setUp(0)
	var got [50]string
	each(got[:], func(i int, _ string) { got[i] = ana.at(w.nodes[i%3].base).reveal(temporary + "/reveal") })
	for _, value := range got {
		if value != got[0] {
			t.Fatal("two temporary tokens")
		}
	}
	if n := database.number(t, w.name, "SELECT COUNT(*) FROM tokens WHERE kind = 'temporary'"); n != 1 {
		t.Errorf("%d tokens are stored", n)
	}
	w.wantEverywhere("the temporary token", got[0], http.StatusOK)
}

// Limits hold whichever nodes are asked at once: a team has 50 pending invitations at most.
func TestLimitsOfNumbers(t *testing.T) {
	w := newWorld(t, 3)
	ana := w.setUp(0)
	for i := range 47 {
		database.exec(t, w.name, `INSERT INTO invitations (id, team_id, email, email_key, role, code_hash, sealed, created_at, created_by, expires_at)
			SELECT 'i' || $1, t.id, $1 || '@x.example', $1 || '@x.example', 'viewer', decode(md5($1), 'hex'), '\x00', 1, u.id, 9999999999999 FROM teams t, users u`, fmt.Sprint(i))
	}
	var made atomic.Int64
	var all [12]int
	each(all[:], func(i int, _ int) {
		got := ana.at(w.nodes[i%3].base).post(teamPage+"/invitations", url.Values{"email": {fmt.Sprint("new", i, "@x.example")}, "role": {"viewer"}})
		if got.status == http.StatusOK {
			made.Add(1)
		} else if got.status != http.StatusUnprocessableEntity && got.status != http.StatusServiceUnavailable {
			t.Errorf("%d on %s", got.status, got.path)
		}
	})
	if n := database.number(t, w.name, "SELECT COUNT(*) FROM invitations"); n != 50 || made.Load() != 3 {
		t.Errorf("%d invitations, %d were answered", n, made.Load())
	}
}
