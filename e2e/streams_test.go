package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// line is what the program graphql-ws.mjs prints.
type line struct {
	Port    int               `json:"port"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Next    *int              `json:"next"`
	Closed  int               `json:"closed"`
	Reason  string            `json:"reason"`
}

// graphqlWS runs graphql-ws.mjs and returns its lines.
func graphqlWS(t *testing.T, mode, input string) <-chan line {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	run := node(t)
	cmd := exec.CommandContext(ctx, run[0], append(slices.Clone(run[1:]), "graphql-ws.mjs", mode)...)
	cmd.Dir, cmd.Stdin = "clients", strings.NewReader(input)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := make(chan line, 10_000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			var l line
			if json.Unmarshal(scanner.Bytes(), &l) == nil {
				lines <- l
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = cmd.Wait()
	})
	return lines
}

// the waits for a line that is as wanted.
func the(t *testing.T, what string, lines <-chan line, wanted func(l line) bool) line {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case l, ok := <-lines:
			if !ok {
				t.Fatalf("%s: the program ended before. %s", what, installClients)
			}
			if wanted(l) {
				return l
			}
		case <-timeout:
			t.Fatalf("%s: not after %s", what, patience)
		}
	}
}

func isNext(l line) bool { return l.Next != nil }

// G5 G6: graphql-ws, the client that people have, subscribes through the gateway with a token
// and with a ticket in the address. Its server sees neither; a revocation closes it with 4401.
func TestGraphQLSubscriptions(t *testing.T) {
	t.Parallel()
	upstream := graphqlWS(t, "serve", "")
	port := the(t, "the upstream serves", upstream, func(l line) bool { return l.Port != 0 }).Port
	s, ana := owner(t, "--upstreams", "/graphql=http://127.0.0.1:"+strconv.Itoa(port)+";ws")
	address := "ws" + strings.TrimPrefix(s.base, "http") + "/graphql?"
	app := ana.create("Trading bot")
	token, problem := ana.newToken(ana.clientIDOf(app), ana.reveal(app+"/secret"))
	if problem != "" {
		t.Fatal(problem)
	}
	ticket := ana.ticket(token)
	for _, credential := range []string{"token=" + token, "ticket=" + ticket} {
		subscription := graphqlWS(t, "subscribe", address+credential)
		the(t, "a result", subscription, isNext)
		seen := the(t, "the upstream is asked", upstream, func(l line) bool { return l.URL != "" })
		if all, _ := json.Marshal(seen); strings.Contains(string(all), token) || strings.Contains(string(all), ticket) || seen.URL != "/graphql" {
			t.Errorf("the upstream got %s", all)
		}
		if seen.Headers["sec-websocket-protocol"] != "graphql-transport-ws" || seen.Headers["x-latchkey-client-id"] == "" {
			t.Errorf("headers at the upstream: %v", seen.Headers)
		}
		defer func() {
			closed := the(t, "closed", subscription, func(l line) bool { return l.Closed != 0 })
			if closed.Closed != 4401 || closed.Reason != "Unauthorized" {
				t.Errorf("closed with %d %q", closed.Closed, closed.Reason)
			}
		}()
	}
	again := graphqlWS(t, "subscribe", address+"ticket="+ticket)
	if refused := the(t, "a ticket that was used", again, func(l line) bool { return l.Closed != 0 || isNext(l) }); isNext(refused) {
		t.Error("a ticket opened a second WebSocket")
	}
	page := ana.get(app)
	if !strings.Contains(page.body, "2 open now") || !strings.Contains(ana.get(app+"/revoke").body, "2 live streams close too.") {
		t.Error("the pages do not count the streams")
	}
	for _, value := range []string{token, ticket} {
		if strings.Contains(s.Stderr.String(), value) {
			t.Error("the log holds a value of an address") // A2
		}
	}
	ana.deed(app+"/revoke", nil)
}

// ticket trades a token.
func (c *client) ticket(token string) string {
	c.t.Helper()
	r := c.request(http.MethodPost, "/oauth2/tickets", "")
	r.Header.Set("Authorization", "Bearer "+token)
	var traded struct {
		Ticket string `json:"ticket"`
	}
	got := c.do(r)
	if err := json.Unmarshal([]byte(got.body), &traded); err != nil || got.status != http.StatusOK || traded.Ticket == "" {
		c.t.Fatalf("no ticket: %d %s", got.status, got.body)
	}
	return traded.Ticket
}

// A program that stops tells open WebSockets, and does not wait for them.
func TestStopClosesWebSockets(t *testing.T) {
	t.Parallel()
	upstream := graphqlWS(t, "serve", "")
	port := the(t, "the upstream serves", upstream, func(l line) bool { return l.Port != 0 }).Port
	s, ana := owner(t, "--upstreams", "/graphql=http://127.0.0.1:"+strconv.Itoa(port)+";ws")
	app := ana.create("Trading bot")
	token, problem := ana.newToken(ana.clientIDOf(app), ana.reveal(app+"/secret"))
	if problem != "" {
		t.Fatal(problem)
	}
	subscription := graphqlWS(t, "subscribe", "ws"+strings.TrimPrefix(s.base, "http")+"/graphql?token="+token)
	the(t, "a result", subscription, isNext)
	began := time.Now()
	s.Stop()
	if took := time.Since(began); took > patience {
		t.Errorf("stopping took %s", took)
	}
	if closed := the(t, "closed", subscription, func(l line) bool { return l.Closed != 0 }); closed.Closed != 1001 {
		t.Errorf("closed with %d %q", closed.Closed, closed.Reason)
	}
}
