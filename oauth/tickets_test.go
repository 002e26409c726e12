package oauth_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
)

const ticketsPath = "/oauth2/tickets"

func (s *server) trade(t testing.TB, value, body string, headers ...string) answer {
	t.Helper()
	if value != "" {
		headers = append(headers, "Authorization", "Bearer "+value)
	}
	if body != "" {
		headers = append(headers, "Content-Type", form)
	}
	return s.ask(t, http.MethodPost, ticketsPath, body, headers...)
}

func (s *server) withRoutes(t testing.TB, text string) {
	t.Helper()
	routes, err := models.ParseUpstreams(text)
	if err != nil {
		t.Fatal(err)
	}
	deps := s.deps(t, s.Store)
	deps.Upstreams = routes
	s.serve(t, deps, 15e9)
}

var ticketForm = regexp.MustCompile(`^lk_tk_[0-9A-Za-z]{49}$`)

// traded returns the ticket of an answer.
func (a answer) traded(t testing.TB) string {
	t.Helper()
	var got struct {
		Ticket    string `json:"ticket"`
		ExpiresIn int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 || !ticketForm.MatchString(got.Ticket) || got.ExpiresIn != 30 ||
		a.header.Get("Cache-Control") != "no-store" || a.header.Get("Pragma") != "no-cache" {
		t.Fatalf("%d %s %v, %v", a.status, a.body, a.header, err)
	}
	return got.Ticket
}

// G5: a ticket is bound to the route that is named, to the only one there is, or to none.
func TestTicketsAreBoundToRoutes(t *testing.T) {
	s := newServer(t)
	value := s.token(t, "")
	route := func(body string) (bound string) {
		t.Helper()
		s.trade(t, value, body).traded(t)
		if err := s.Raw(t).QueryRowContext(t.Context(), "SELECT route FROM tickets").Scan(&bound); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Raw(t).ExecContext(t.Context(), "DELETE FROM tickets"); err != nil {
			t.Fatal(err)
		}
		return bound
	}
	refusal(t, "no routes", s.trade(t, value, ""), 400, "invalid_request")
	s.withRoutes(t, "/graphql=http://127.0.0.1:1;ws /v1=http://127.0.0.1:1")
	if one, named, empty := route(""), route("route=%2Fgraphql&more=x"), route("route="); one != "/graphql" || named != one || empty != one {
		t.Errorf("with one route: %q, %q, %q", one, named, empty)
	}
	refusal(t, "another route", s.trade(t, value, "route=/v1"), 400, "invalid_request")
	refusal(t, "none", s.trade(t, value, "route=/none"), 400, "invalid_request")
	refusal(t, "twice", s.trade(t, value, "route=/graphql&route=/graphql"), 400, "invalid_request")
	refusal(t, "JSON", s.ask(t, http.MethodPost, ticketsPath, "{}", "Authorization", "Bearer "+value, "Content-Type", "application/json"), 400, "invalid_request")
	s.withRoutes(t, "/graphql=http://127.0.0.1:1;ws /v1=http://127.0.0.1:1;ws;scope=other")
	if one, named := route(""), route("route=/graphql"); one != "" || named != "/graphql" {
		t.Errorf("with two routes: %q, %q", one, named)
	}
	got := s.trade(t, value, "route=/v1")
	refusal(t, "a scope that the token lacks", got, 403, "insufficient_scope")
	if challenge := got.header.Get("WWW-Authenticate"); challenge != `Bearer realm="Latchkey", error="insufficient_scope", scope="other"` {
		t.Error(challenge)
	}
}

// G5 O9: only a good token in the header is traded, by POST alone; the log holds neither.
func TestTicketsAreForGoodTokens(t *testing.T) {
	s := newServer(t)
	s.withRoutes(t, "/graphql=http://127.0.0.1:1;ws")
	value := s.token(t, "")
	for what, test := range map[string]struct {
		got  answer
		sent bool
	}{
		"none":            {s.trade(t, "", ""), false},
		"unknown":         {s.trade(t, "lk_at_x", ""), true},
		"two":             {s.trade(t, value, "", "Authorization", "Bearer "+value), true},
		"in the query":    {s.ask(t, http.MethodPost, ticketsPath+"?token="+value+"&access_token="+value, ""), false},
		"in the body":     {s.ask(t, http.MethodPost, ticketsPath, "access_token="+value, "Content-Type", form), false},
		"a client's":      {s.ask(t, http.MethodPost, ticketsPath, s.me().form(""), "Content-Type", form), false},
		"a ticket, again": {s.trade(t, s.trade(t, value, "").traded(t), ""), true},
	} {
		refusal(t, what, test.got, 401, "invalid_token")
		want := `Bearer realm="Latchkey"`
		if test.sent {
			want += `, error="invalid_token"`
		}
		if challenge := test.got.header.Get("WWW-Authenticate"); challenge != want {
			t.Errorf("%s: %s", what, challenge)
		}
	}
	for _, method := range []string{"GET", "PUT", "DELETE", "OPTIONS"} { // O12
		got := s.ask(t, method, ticketsPath, "", "Authorization", "Bearer "+value)
		refusal(t, method, got, 405, "invalid_request")
		if got.header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow %q", method, got.header.Get("Allow"))
		}
	}
	ticket := s.trade(t, value, "").traded(t)
	if log := s.log.String(); strings.Contains(log, ticket) || strings.Contains(log, value) { // A2
		t.Error("the log holds a value")
	}
	s.revoke(t, s.me(), value)
	refusal(t, "revoked", s.trade(t, value, ""), 401, "invalid_token")
}

// R1: a token may ask for 600 tickets a minute, and others are not held up by it.
func TestTicketsAreLimited(t *testing.T) {
	s := newServer(t)
	s.withRoutes(t, "/graphql=http://127.0.0.1:1;ws")
	s.log.mute()
	value, other := s.token(t, ""), s.token(t, "")
	for i := range 600 {
		if got := s.direct(t, "tickets", "", "Authorization", "Bearer "+value); got.status != 200 {
			t.Fatalf("ticket %d: %d %s", i+1, got.status, got.body)
		}
	}
	got := s.trade(t, value, "")
	refusal(t, "one too many", got, 429, "too_many_requests")
	if wait, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || wait < 1 || wait > 60 || !strings.Contains(got.body, "Too many tickets.") {
		t.Errorf("%v %s", got.header, got.body)
	}
	s.trade(t, other, "").traded(t)
	s.Wait(60e9)
	s.trade(t, value, "").traded(t)
}

// A ticket is never answered that was not stored.
func TestNoTicketWithoutADatabase(t *testing.T) {
	s := newServer(t)
	value := s.token(t, "")
	s.withRoutes(t, "/graphql=http://127.0.0.1:1;ws")
	s.trade(t, value, "").traded(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := s.trade(t, value, "")
	refusal(t, "database away", got, 503, "temporarily_unavailable")
	if strings.Contains(got.body, "lk_tk_") {
		t.Error(got.body)
	}
}
