package guard_test

import (
	"context"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

func listenOn(address string) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
}

// deeds end tokens, each in its own way, on the store of some node.
var deeds = map[string]func(t *testing.T, w *world, n *node, token models.Token) error{
	"one": func(t *testing.T, w *world, n *node, token models.Token) error {
		_, _, err := n.store.RevokeToken(t.Context(), w.ana, w.app.ID, token.ID)
		return err
	},
	"all": func(t *testing.T, w *world, n *node, _ models.Token) error {
		_, err := n.store.RevokeTokens(t.Context(), w.ana, w.app.ID)
		return err
	},
	"application deleted": func(t *testing.T, w *world, n *node, _ models.Token) error {
		_, err := n.store.DeleteApplication(t.Context(), w.ana, w.app.ID)
		return err
	},
	"application switched off": func(t *testing.T, w *world, n *node, _ models.Token) error {
		return n.store.SwitchApplication(t.Context(), w.ana, w.app.ID, false)
	},
	"team suspended": func(t *testing.T, w *world, n *node, _ models.Token) error {
		return n.store.SuspendTeam(t.Context(), models.CommandLine, w.ana.TeamID, "unpaid")
	},
	"all of the installation": func(t *testing.T, _ *world, n *node, _ models.Token) error {
		_, err := n.store.FinishRestore(t.Context(), models.CommandLine, store.RevokedBefore{}, true)
		return err
	},
}

// Promise 2, T4: whatever ends a token, on this node or another, the API refuses it within a second.
func TestRefusedWithinASecond(t *testing.T) {
	for what, deed := range deeds {
		for _, elsewhere := range []bool{false, true} {
			name := what
			if elsewhere {
				name += " on another node"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w, acting, handler := remembering(t, elsewhere)
				token, value := w.token(t)
				w.remembered(t, handler, value)
				if err := deed(t, w, acting, token); err != nil {
					t.Fatal(err)
				}
				took := within(t, "refused", promised, func() bool { return status(handler, value) == http.StatusUnauthorized })
				t.Logf("refused after %s", took)
				for range 100 {
					if got := status(handler, value); got != http.StatusUnauthorized {
						t.Fatalf("then it is %d again", got)
					}
				}
			})
		}
	}
}

// The temporary token of a member ends with the membership.
func TestRemovedMember(t *testing.T) {
	w := newWorld(t)
	bo := w.Member(t, "northwind", "bo", models.RoleDeveloper)
	bo.TeamID = w.ana.TeamID
	value := w.temporary(t, bo)
	handler := api(w.guardAt(t, w.listener.URL))
	w.remembered(t, handler, value)
	if _, err := w.RemoveMember(t.Context(), w.ana, bo.UserID); err != nil {
		t.Fatal(err)
	}
	within(t, "refused", promised, func() bool { return status(handler, value) == http.StatusUnauthorized })
}

// O6: a scope that an application loses is lost to its tokens, and those of others stay remembered.
func TestScopeLost(t *testing.T) {
	w := newWorld(t)
	both := w.Application(t, w.ana, "Both")
	values := models.ApplicationValues{Name: "Both", Lifespan: 3600, Scopes: "api orders"}
	if err := w.ChangeApplication(t.Context(), w.ana, both.ID, values, 0); err != nil {
		t.Fatal(err)
	}
	both.Scopes = values.Scopes
	_, value := w.tokenOf(t, both, "api orders")
	_, bystander := w.token(t)
	g := w.guardAt(t, w.listener.URL)
	handler, orders := api(g), g.Require("orders")(http.NotFoundHandler())
	w.remembered(t, handler, value)
	w.remembered(t, handler, bystander)
	if got := status(orders, value); got != http.StatusNotFound {
		t.Fatalf("with the scope: %d", got)
	}
	values.Scopes = "api"
	if err := w.ChangeApplication(t.Context(), w.ana, both.ID, values, 0); err != nil {
		t.Fatal(err)
	}
	within(t, "forbidden", promised, func() bool { return status(orders, value) == http.StatusForbidden })
	before := w.asked()
	if got := status(handler, bystander); got != http.StatusOK || w.asked() != before {
		t.Errorf("a token of another application: %d, asked about %d times", got, w.asked()-before)
	}
}

// Promise 2, measured: some hundred revocations on either of two nodes, while the API is called.
func TestWorstOfManyRevocations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.other(t)
	handler := api(w.guardAt(t, w.listener.URL))
	const rounds = 200
	took := make([]time.Duration, 0, rounds)
	for i := range rounds {
		token, value := w.token(t)
		w.remembered(t, handler, value)
		acting := []*node{w.node, other}[i%2]
		if _, _, err := acting.store.RevokeToken(t.Context(), w.ana, w.app.ID, token.ID); err != nil {
			t.Fatal(err)
		}
		took = append(took, within(t, "refused", promised, func() bool { return status(handler, value) == http.StatusUnauthorized }))
	}
	slices.Sort(took)
	t.Logf("refused after: median %s, p99 %s, worst %s of %d", took[rounds/2], took[rounds*99/100], took[rounds-1], rounds)
}
