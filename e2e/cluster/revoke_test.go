package cluster

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/e2e/harness"
)

// lateness is how long after the answer of a deed the nodes refused, in order.
type lateness []time.Duration

func (l lateness) String() string {
	slices.Sort(l)
	at := func(q float64) time.Duration { return l[int(q*float64(len(l)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %s, p99 %s, worst %s of %d", at(.5), at(.99), at(1), len(l))
}

// refusedAfter asks the nodes for a token as fast as they answer, from before the deed until
// they refuse, and returns when the last question was asked that was answered 200, counted
// from the deed's answer: zero where it came before.
func refusedAfter(t testing.TB, there []*person, token string, deed func()) lateness {
	t.Helper()
	for _, p := range there { // so that all remember it
		if status, err := p.verify(token); status != http.StatusOK {
			t.Errorf("before: verify %d %v", status, err)
		}
	}
	lastGood := make([]time.Time, len(there))
	var asking sync.WaitGroup
	for i, p := range there {
		asking.Go(func() {
			for limit := time.Now().Add(patience); time.Now().Before(limit); {
				began := time.Now()
				status, err := p.verify(token)
				if status == http.StatusUnauthorized {
					return
				}
				if status != http.StatusOK {
					t.Errorf("verify: %d %v", status, err)
				}
				lastGood[i] = began
			}
			t.Error("a revoked token stays good")
		})
	}
	deed()
	answered := time.Now()
	asking.Wait()
	late := lateness{}
	for _, at := range lastGood {
		late = append(late, max(0, at.Sub(answered)))
	}
	return late
}

// Promise 2, T6: a thousand revocations on one node, and when the others refuse.
func TestRevocationReachesEveryNode(t *testing.T) {
	w := newWorld(t, 3)
	ana := w.setUp(1)
	_, credentials := ana.credentials("Trading bot")
	first := newPerson(t, w.nodes[0].base)
	others := []*person{newPerson(t, w.nodes[1].base), newPerson(t, w.nodes[2].base)}
	var late lateness
	for range 1000 {
		token := first.newToken(credentials)
		late = append(late, refusedAfter(t, others, token, func() {
			if got, err := first.revoke(credentials, token); got.status != http.StatusOK {
				t.Errorf("revoke: %d %v", got.status, err)
			}
		})...)
		if t.Failed() {
			break
		}
	}
	t.Logf("a revoked token was last good after the answer: %s", late)
	if worst := slices.Max(late); worst >= promise {
		t.Errorf("worst %s", worst)
	}
}

// Promise 2, O10, T4: whatever ends tokens on a page of one node ends them on the others.
func TestEveryEndReachesEveryNode(t *testing.T) {
	w := newWorld(t, 3)
	ana := w.setUp(2).at(w.nodes[0].base)
	others := []*person{newPerson(t, w.nodes[1].base), newPerson(t, w.nodes[2].base)}
	app, credentials := ana.credentials("Trading bot")
	ben := w.joins(ana, "ben@northwind.example", "owner")
	check := func(what, token string, deed func()) {
		t.Helper()
		late := refusedAfter(t, others, token, deed)
		t.Logf("%s: last good after the answer: %s", what, late)
		if worst := slices.Max(late); worst >= promise {
			t.Errorf("%s: worst %s", what, worst)
		}
	}
	manual := ana.generate(app, "By hand")
	check("one on its page", ana.reveal(manual+"/reveal"), func() { ana.deed(manual+"/revoke", nil) })
	check("Revoke all", ana.newToken(credentials), func() { ana.deed(app+"/revoke", nil) })
	check("switch off", ana.newToken(credentials), func() { ana.deed(app+"/disable", nil) })
	ana.deed(app+"/enable", nil)
	check("delete", ana.newToken(credentials), func() { ana.deed(app+"/delete", url.Values{"confirm": {"Trading bot"}}) })
	check("replaced temporary token", ana.reveal(temporary+"/reveal"), func() { ana.deed(temporary+"/replace", nil) })
	members := ana.get(teamPage).body
	check("removed member's temporary token", ben.reveal(temporary+"/reveal"), func() {
		ana.deed(memberPath(t, members)+"/remove", nil)
	})
	_, credentials = ana.credentials("Second bot")
	team := suspending.FindString(ana.get("/admin/teams").body)
	check("suspend the team", ana.newToken(credentials), func() {
		// Whoever suspends the team that they act in is led to no page of it.
		if got := ana.post(team, url.Values{"reason": {"unpaid"}}); got.status >= http.StatusInternalServerError {
			t.Errorf("suspend: %d %s", got.status, got.path)
		}
	})
}

var suspending = regexp.MustCompile(`/admin/teams/[0-9a-f-]{36}/suspend`)

// memberPath is the path of the one other member.
func memberPath(t testing.TB, page string) string {
	t.Helper()
	path, ok := harness.PathOf(page, teamPage+"/members/", "/remove")
	if !ok {
		t.Fatal("the team has nobody to remove")
	}
	return path
}
