package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey/latchkey/gateway/gatewaytest"
	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
	"github.com/latchkey/latchkey/views"
)

const rightPassword = "seven gulls over Brest"

// twoNodes serves the same database twice, on PostgreSQL. Ana can sign in.
func twoNodes(t *testing.T, plan models.Plan) [2]*site {
	t.Helper()
	address, keys := pgtest.Database(t, migrations.Postgres(), storetest.Migrate), t.TempDir()+"/keys.json"
	upstream := gatewaytest.New(t)
	serve := func() *site {
		return serveSite(t, upstream, "/v1=UP;strip;ws;cost=1;api=v1", func(c *Config) {
			c.Database, c.Keys = address, keys
		}, asItIs)
	}
	nodes := [2]*site{serve(), serve()}
	nodes[0].addToken(t)
	nodes[0].onPlan(t, plan, 0)
	nodes[1].ana, nodes[1].app = nodes[0].ana, nodes[0].app
	hash, err := secrets.NewPasswords(1).Hash(t.Context(), models.NewSecret(rightPassword))
	if err != nil {
		t.Fatal(err)
	}
	if err := nodes[0].db.SetPassword(t.Context(), models.CommandLine, "ana@example.com", hash); err != nil {
		t.Fatal(err)
	}
	return nodes
}

// post sends a form as client and returns the status.
func (s *site) post(t *testing.T, client *http.Client, path string, fields ...string) int {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func newClient(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (s *site) signIn(t *testing.T, client *http.Client, password string) int {
	t.Helper()
	return s.post(t, client, "/login", "email", "ana@example.com", "password", password)
}

// S11: 50 wrong passwords at once over two nodes: as many are checked as the nodes let pass
// before they hear of each other, and then both pause the account.
func TestGuessingOverTwoNodes(t *testing.T) {
	nodes := twoNodes(t, models.Plan{Points: 1000})
	var mu sync.Mutex
	checked := 0
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if status := nodes[i%2].signIn(t, newClient(t), "wrong"); status != http.StatusTooManyRequests {
				mu.Lock()
				defer mu.Unlock()
				checked++
			}
		})
	}
	all.Wait()
	if checked < 5 || checked > 10 {
		t.Errorf("%d passwords were checked", checked)
	}
	for i, node := range nodes {
		if status := node.signIn(t, newClient(t), rightPassword); status != http.StatusTooManyRequests {
			t.Errorf("node %d answers %d", i, status)
		}
	}
}

// S11: wrong passwords on one node alone pause the account on the other.
func TestPauseHoldsOnTheOtherNode(t *testing.T) {
	nodes := twoNodes(t, models.Plan{Points: 1000})
	for range 5 {
		nodes[0].signIn(t, newClient(t), "wrong")
	}
	tries := 0
	eventually(t, "the other node pauses the account", func() bool {
		tries++
		return nodes[1].signIn(t, newClient(t), "wrong") == http.StatusTooManyRequests
	})
	if tries > 5 {
		t.Errorf("%d tries more on the other node", tries-1)
	}
}

// R2: wrong client secrets count on all nodes.
func TestClientSecretsOverTwoNodes(t *testing.T) {
	nodes := twoNodes(t, models.Plan{Points: 1000})
	client := newClient(t)
	wrong := func(i int) int {
		return nodes[i].post(t, client, "/oauth2/token", "grant_type", "client_credentials", "client_id", nodes[0].app.ClientID, "client_secret", "wrong")
	}
	for range 30 {
		wrong(0)
	}
	tries := 0
	eventually(t, "both nodes refuse", func() bool {
		tries++
		return wrong(1) == http.StatusTooManyRequests
	})
	if wrong(0) != http.StatusTooManyRequests || tries >= 30 {
		t.Errorf("%d tries more on the other node", tries)
	}
}

// R2: how many values one person may see a minute holds over all nodes.
func TestRevealsOverTwoNodes(t *testing.T) {
	nodes := twoNodes(t, models.Plan{Points: 1000})
	client := newClient(t)
	if status := nodes[0].signIn(t, client, rightPassword); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	// The value cannot be opened, but asking for it counts.
	reveal := func(i int) int {
		return nodes[i].post(t, client, views.ApplicationPath(nodes[0].app.ID)+"/secret/reveal")
	}
	if status := reveal(0); status == http.StatusNotFound || status == http.StatusForbidden || status == http.StatusSeeOther {
		t.Fatal(status)
	}
	for range 39 {
		reveal(0)
	}
	tries := 0
	eventually(t, "the other node refuses", func() bool {
		tries++
		return reveal(1) == http.StatusTooManyRequests
	})
	if tries > 50 {
		t.Errorf("%d reveals more on the other node", tries)
	}
}

// R1: a team's rate is that of all nodes, and what passes before they hear of each other is
// paid back.
func TestRateOverTwoNodes(t *testing.T) {
	nodes := twoNodes(t, models.Plan{Points: 10_000, RateLimit: 60})
	began, passed := time.Now(), 0
	for range 40 {
		nodes[0].wants(t, http.StatusOK, "/v1/x")
		passed++
	}
	eventually(t, "the other node knows", func() bool {
		header, _ := nodes[1].wants(t, http.StatusOK, "/v1/x")
		passed++
		var left int
		_, err := fmt.Sscanf(header.Get("RateLimit"), `"team";r=%d;`, &left)
		return err == nil && left <= 22
	})
	for i := 0; ; i++ {
		res, _, err := nodes[i%2].ask(t, t.Context(), "/v1/x")
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode == http.StatusTooManyRequests {
			break
		}
		passed++
	}
	eventually(t, "both refuse", func() bool {
		for _, node := range nodes {
			res, _, err := node.ask(t, t.Context(), "/v1/x")
			if err != nil || res.StatusCode != http.StatusTooManyRequests {
				passed++
				return false
			}
		}
		return true
	})
	// One comes back each second; the rest is what two nodes let pass in a quarter of one.
	if most := 60 + int(time.Since(began)/time.Second) + 1 + 24; passed > most {
		t.Errorf("%d calls passed, %d may", passed, most)
	}
	t.Logf("%d calls passed in %v", passed, time.Since(began))
}

// R1: places for streams are those of all nodes, and free when one ends anywhere.
func TestStreamsOverTwoNodes(t *testing.T) {
	nodes := twoNodes(t, models.Plan{Points: 1000, Streams: 3})
	var open []*websocket.Conn
	for range 3 {
		socket, status, _ := nodes[0].dial(t)
		if status != http.StatusSwitchingProtocols {
			t.Fatal(status)
		}
		open = append(open, socket)
	}
	eventually(t, "the other node knows", func() bool {
		socket, status, _ := nodes[1].dial(t)
		if socket != nil {
			_ = socket.CloseNow()
		}
		return status == http.StatusTooManyRequests
	})
	_ = open[0].CloseNow()
	eventually(t, "a place is free", func() bool {
		_, status, _ := nodes[1].dial(t)
		return status == http.StatusSwitchingProtocols
	})
}
