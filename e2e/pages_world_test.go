package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// world is a team with a past: what the pages need to show all that they have.
type world struct {
	s, fresh *server
	// Paths of applications. own is for one theme alone to change.
	bot, off, long, builtIn string
	token                   string // path of an active token of bot
	own                     map[string]string
	people                  people
	admin                   administration
}

const (
	viewerEmail = "vera@northwind.example"
	loneEmail   = "ben@southwind.example"
)

func newWorld(t testing.TB) *world {
	t.Helper()
	s, ana := owner(t)
	addUser(t, s.dir, viewerEmail, "Vera Lindqvist", "Northwind", "viewer")
	addUser(t, s.dir, loneEmail, "Ben Okafor", "Southwind", "owner")
	w := &world{s: s, fresh: start(t), own: map[string]string{}}
	w.bot = ana.create("Trading bot")
	w.off = ana.create("Staging")
	w.long = ana.create(strings.Repeat("W", 64))
	ana.create(strings.Repeat("🦉", 64))
	ana.create(`"><svg onload=alert(1)>`)
	ana.create("אב")
	for _, theme := range themes {
		w.own[theme] = ana.create("Own " + theme)
		ana.generate(w.own[theme], "")
	}
	for i := range 20 {
		ana.create(fmt.Sprintf("Price feed %d", i+1))
	}
	w.builtIn = ana.builtIn()
	w.pastOf(t, ana)
	w.people = w.peopleOf(t, ana)
	w.admin = newAdministration(t, s)
	w.warningsPast(t, ana)
	w.plansPast(t)
	w.refusedPast(t)
	w.usagePast(t)
	return w
}

// pastOf gives Trading bot used, expired, revoked and unnamed tokens and two secrets.
func (w *world) pastOf(t testing.TB, ana *client) {
	t.Helper()
	expired := ana.generate(w.bot, "old laptop")
	change(t, w.s.dir, "UPDATE tokens SET expires_at = expires_at - 86400000, created_at = created_at - 86400000 WHERE id = ?", idOf(expired))
	ana.deed(ana.generate(w.bot, "")+"/revoke", nil)
	ana.generate(w.bot, strings.Repeat("i", 64))
	w.token = ana.generate(w.bot, "laptop")
	ana.wantGood(ana.reveal(w.token))
	if _, problem := ana.newToken(ana.clientIDOf(w.bot), ana.reveal(w.bot+"/secret")); problem != "" {
		t.Fatal(problem)
	}
	ana.deed(w.bot+"/secret", url.Values{"overlap": {"86400"}})
	ana.generate(w.off, "laptop")
	ana.deed(w.off+"/disable", nil)
}
