package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// ticket trades a token for a ticket.
func (w *streamWorld) ticket(t testing.TB, value, route string) string {
	t.Helper()
	grant, err := w.verifier.Inspect(t.Context(), models.NewSecret(value), "")
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := w.tickets.Trade(t.Context(), grant, route)
	if err != nil {
		t.Fatal(err)
	}
	return ticket.Reveal()
}

// G5 O9: a token in the address opens a WebSocket and nothing else, and goes no further.
func TestTokenInTheAddress(t *testing.T) {
	w := newStreamWorld(t)
	_, value := w.issue(t)
	const open, closed = http.StatusSwitchingProtocols, http.StatusUnauthorized
	ticket := func() string { return w.ticket(t, value, "") }
	for _, test := range []struct {
		path, header string
		status       int
	}{
		{"/ws?token=" + value, "", open},
		{"/ws?a=1&to%6ben=" + value + "&b=%20x", "", open},
		{"/ws?ticket=" + ticket(), "", open},
		{"/ws?token=" + value, value, closed},
		{"/ws?ticket=" + ticket(), value, closed},
		{"/ws?token=" + value + "&token=" + value, "", closed},
		{"/ws?token=" + value + "&ticket=" + ticket(), "", closed},
		{"/ws?token=", "", closed},
		{"/ws?token=", value, closed},
		{"/ws?token=%zz", "", closed},
		{"/ws?token=" + value + "x", "", closed},
		{"/ws?ticket=" + value, "", closed},
		{"/ws?token=" + ticket(), "", closed},
		{"/ws?Token=" + value, "", closed},
		{"/ws", "", closed},
	} {
		wantUpgrade(t, w, test.path, test.header, test.status, "")
	}
	asked := strings.Join(w.upstream.asked(), "\n")
	if want := "/ws \n/ws?a=1&b=%20x \n/ws "; asked != want {
		t.Errorf("the upstream was asked %q, want %q", asked, want)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/said?token="+value, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := w.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a request that is no upgrade: %s", response.Status)
	}
}

// G5: a ticket is good once, for 30 seconds, on its route, on any node, while its token is.
func TestTickets(t *testing.T) {
	w := newStreamWorld(t)
	token, value := w.issue(t)
	bound := w.ticket(t, value, "/other")
	wantUpgrade(t, w, "/ws?ticket="+bound, "", http.StatusUnauthorized, "")
	good := w.ticket(t, value, "/")
	wantUpgrade(t, w, "/ws?ticket="+good, "", http.StatusSwitchingProtocols, "")
	wantUpgrade(t, w, "/ws?ticket="+good, "", http.StatusUnauthorized, "")
	late := w.ticket(t, value, "")
	w.Wait(tokens.TicketLife)
	wantUpgrade(t, w, "/ws?ticket="+late, "", http.StatusUnauthorized, "")
	dies := w.ticket(t, value, "")
	w.revoke(t, token)
	wantUpgrade(t, w, "/ws?ticket="+dies, "", http.StatusUnauthorized, "")
	if w.Holds(t, "SELECT hash FROM tickets", "lk_tk_") { // T2
		t.Error("a ticket is stored as it is")
	}
	w.Wait(tokens.TicketLife)
	if _, err := w.PurgeLeftovers().Step(t.Context()); err != nil { // T7
		t.Fatal(err)
	}
	if n := w.Number(t, "SELECT COUNT(*) FROM tickets"); n != 0 {
		t.Errorf("%d tickets are left", n)
	}
}

// D8 G5: of 50 who use a ticket at once, on two nodes, one gets in.
func TestATicketIsUsedOnce(t *testing.T) {
	w := newStreamWorld(t)
	_, value := w.issue(t)
	other := tokens.NewTickets(w.elsewhere(t), w.verifier, w.Now)
	ticket := models.NewSecret(w.ticket(t, value, ""))
	var wins atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		desk := w.tickets
		if i%2 == 0 {
			desk = other
		}
		all.Go(func() {
			_, err := desk.Redeem(context.WithoutCancel(t.Context()), ticket, "/")
			var refused tokens.RefusedError
			if err == nil {
				wins.Add(1)
			} else if !errors.As(err, &refused) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d got in", wins.Load())
	}
}

// R1: over the plan's streams an upgrade is refused, and of 50 at once exactly as many pass
// as there is room for.
func TestStreamCap(t *testing.T) {
	w := newStreamWorld(t)
	_, value := w.issue(t)
	const room = 7
	w.server.Config.Handler = w.gateway.Within(room)
	statuses := make(chan int, 50)
	for i := range 50 {
		go func() {
			if i%2 == 0 {
				_, got := w.dial(t, "/ws", value)
				statuses <- got.status
				return
			}
			statuses <- w.get(t, "/events", value, "Accept", []string{"*/*", "text/event-stream"}[i/2%2]).status
		}()
	}
	passed := 0
	for range 50 {
		switch status := <-statuses; status {
		case http.StatusOK, http.StatusSwitchingProtocols:
			passed++
		case http.StatusTooManyRequests:
		default:
			t.Errorf("status %d", status)
		}
	}
	if n := w.streams.OfTeam(w.ana.TeamID); passed != room || n != room {
		t.Errorf("%d passed, %d are open", passed, n)
	}
	wantUpgrade(t, w, "/ws", value, http.StatusTooManyRequests, "The team's plan allows 7 streams at once")
	if got := w.get(t, "/said", value); got.status != http.StatusOK {
		t.Errorf("an ordinary call: %d", got.status)
	}
	if got := w.get(t, "/said", value, "Accept", "application/json, text/event-stream"); got.status != http.StatusOK {
		t.Errorf("a call that would take events: %d", got.status)
	}
}

// An upstream that does not agree to an upgrade leaves its place to others.
func TestRefusedUpgradeGivesItsPlaceBack(t *testing.T) {
	w := newStreamWorld(t)
	_, value := w.issue(t)
	w.server.Config.Handler = w.gateway.Within(1)
	for range 3 {
		wantUpgrade(t, w, "/said", value, http.StatusOK, "said")
	}
	eventually(t, "nothing is open", func() bool { return w.streams.OfTeam(w.ana.TeamID) == 0 })
	for range 3 {
		conn := w.socket(t, value)
		if err := conn.CloseNow(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "nothing is open", func() bool { return w.streams.OfTeam(w.ana.TeamID) == 0 })
	}
}

// A cut query keeps what else stands in it, byte by byte.
func TestCuttingTheQueryKeepsTheRest(t *testing.T) {
	w := newStreamWorld(t)
	_, value := w.issue(t)
	wantUpgrade(t, w, "/ws?x=%C3%A9+a&&token="+value+"&y&=2", "", http.StatusSwitchingProtocols, "")
	if asked := w.upstream.asked(); !slices.Equal(asked, []string{"/ws?x=%C3%A9+a&&y&=2 "}) {
		t.Errorf("the upstream was asked %q", asked)
	}
}
