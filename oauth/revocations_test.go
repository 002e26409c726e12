package oauth_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

const revocationsPath = "/oauth2/revocations"

// stream is an open stream of revocations.
type stream struct {
	body   io.ReadCloser
	header http.Header
	lines  *bufio.Scanner
	// last is the newest ID.
	last string
}

func (s *server) follow(t testing.TB, by caller, headers ...string) (*stream, int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+revocationsPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(by.id, by.secret)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return &stream{body: response.Body, header: response.Header, lines: bufio.NewScanner(response.Body)}, response.StatusCode
}

// next reads an event: its name and data. Both are empty where the stream has ended.
func (s *stream) next() (name, data string) {
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch field {
		case "id":
			s.last = value
		case "event":
			name = value
		case "data":
			data = value
		case "":
			return name, data
		}
	}
	return "", ""
}

// news reads the next event that is not a heartbeat.
func (s *stream) news() (name, data string) {
	for {
		if name, data = s.next(); name != "heartbeat" {
			return name, data
		}
	}
}

func hashed(value string) string {
	return base64.RawURLEncoding.EncodeToString(secrets.Hash(models.NewSecret(value)))
}

func (s *server) idOf(t testing.TB, value string) (id string) {
	t.Helper()
	got := active(t.(*testing.T), "id", s.introspect(t, s.me(), value)) //nolint:errcheck,forcetypeassert // no benchmark asks
	id, _ = got["jti"].(string)
	return id
}

// O2: a resource server follows, by the shared step; nobody else does.
func TestRevocationsWho(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	good := basic(api.id + ":" + api.secret)
	for _, test := range []struct {
		what, method, query, header string
		status                      int
		code                        string
	}{
		{"nobody", "GET", "", "", 401, "invalid_client"},
		{"wrong secret", "GET", "", basic(api.id + ":x"), 401, "invalid_client"},
		{"unknown", "GET", "", basic("x:" + api.secret), 401, "invalid_client"},
		{"in the query", "GET", "?client_id=" + api.id + "&client_secret=" + api.secret, "", 401, "invalid_client"},
		{"an application", "GET", "", basic(s.app.ClientID + ":" + s.secret), 400, "unauthorized_client"},
		{"a token", "GET", "", "Bearer " + s.token(t, ""), 401, "invalid_client"},
		{"POST", "POST", "", good, 405, "invalid_request"},
		{"HEAD", "HEAD", "", good, 405, ""},
	} {
		var headers []string
		if test.header != "" {
			headers = []string{"Authorization", test.header}
		}
		refusal(t, test.what, s.ask(t, test.method, revocationsPath+test.query, "", headers...), test.status, test.code)
	}
	got, status := s.follow(t, api, "Origin", "https://evil.example")
	h := got.header
	if status != 200 || h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" || h.Get("X-Accel-Buffering") != "no" {
		t.Errorf("%d %v", status, h)
	}
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") { // P7
			t.Errorf("%s in the answer", name)
		}
	}
}

// T4: each deed is told as what a cache has to forget, and as no more than that.
func TestRevocationsAreTold(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	one, two := s.token(t, ""), s.token(t, "")
	oneID, twoID := s.idOf(t, one), s.idOf(t, two)
	got, _ := s.follow(t, api)
	if name, data := got.news(); name != "reset" || data != "{}" || got.last == "" {
		t.Fatalf("at first %s %s, id %q", name, data, got.last)
	}
	app := `{"application":"` + s.app.ID + `"}`
	for _, step := range []struct {
		what       string
		do         func() error
		name, data string
	}{
		{"one", func() error {
			_, _, err := s.RevokeToken(t.Context(), s.ana, s.app.ID, oneID)
			return err
		}, "token", `{"jti":"` + oneID + `","sha256":"` + hashed(one) + `"}`},
		{"by its application", func() error {
			revoked(t, "revoke", s.revoke(t, s.me(), two))
			return nil
		}, "token", `{"jti":"` + twoID + `","sha256":"` + hashed(two) + `"}`},
		// What leaves tokens alone is not told: the next event is the one after it.
		{"secret shown", func() error { _, err := s.RevealSecret(t.Context(), s.ana, s.app.ID); return err }, "", ""},
		{"scopes", func() error {
			return s.ChangeApplication(t.Context(), s.ana, s.app.ID, models.ApplicationValues{Name: "Bot", Lifespan: 60, Scopes: "api"}, 0)
		}, "application", app},
		{"off", func() error { return s.SwitchApplication(t.Context(), s.ana, s.app.ID, false) }, "application", app},
		{"team", func() error { return s.SuspendTeam(t.Context(), models.CommandLine, s.ana.TeamID, "unpaid") }, "team", `{"team":"` + s.ana.TeamID + `"}`},
		{"deleted", func() error { _, err := s.DeleteApplication(t.Context(), s.ana, s.app.ID); return err }, "application", app},
	} {
		if err := step.do(); err != nil {
			t.Fatal(step.what, err)
		}
		if step.name == "" {
			continue
		}
		if name, data := got.news(); name != step.name || data != step.data {
			t.Errorf("%s: %s %s, want %s %s", step.what, name, data, step.name, step.data)
		}
	}
}

// Who comes back is told what it missed, on any node; who cannot be is told to forget all.
func TestRevocationsResume(t *testing.T) {
	s := newServer(t)
	api, other := s.resourceServer(t, "Orders"), s.again(t)
	first, _ := s.follow(t, api)
	first.news()
	_ = first.body.Close()
	var hashes []string
	for range 3 {
		value := s.token(t, "")
		hashes = append(hashes, hashed(value))
		revoked(t, "revoke", s.revoke(t, s.me(), value))
	}
	for _, node := range []*server{s, other, s} {
		again, _ := node.follow(t, api, "Last-Event-ID", first.last)
		for i, want := range hashes {
			if name, data := again.next(); name != "token" || !strings.Contains(data, want) {
				t.Errorf("event %d is %s %s, want the token %s", i, name, data, want)
			}
			if i == 0 {
				first.last, hashes = again.last, hashes[1:]
			}
		}
		if name, _ := again.next(); name != "heartbeat" {
			t.Errorf("then %s", name)
		}
	}
	seq, mark, _ := strings.Cut(first.last, ".")
	for _, id := range []string{"x", "-1." + mark, seq, seq + ".", seq + ".x", "999." + mark, "1e3." + mark, "+" + first.last, first.last + strings.Repeat("0", 100), "9223372036854775807." + mark} {
		unknown, status := s.follow(t, api, "Last-Event-ID", id)
		if name, _ := unknown.next(); status != 200 || name != "reset" {
			t.Errorf("%q: %d, at first %s", id, status, name)
		}
	}
}

// The heartbeat says how new it is, four times a second, and comes first after what was missed.
func TestRevocationsHeartbeat(t *testing.T) {
	s := newServer(t)
	got, _ := s.follow(t, s.resourceServer(t, "Orders"))
	began, before := time.Now(), int64(-1)
	if name, _ := got.next(); name != "reset" {
		t.Errorf("at first %s", name)
	}
	for range 6 {
		name, data := got.next()
		var beat struct {
			AsOf int64 `json:"as_of"`
		}
		if err := json.Unmarshal([]byte(data), &beat); err != nil || name != "heartbeat" || beat.AsOf <= before {
			t.Errorf("%s %s after %d", name, data, before)
		}
		before = beat.AsOf
	}
	if took := time.Since(began); before < 1000 || before > took.Milliseconds()+1000 {
		t.Errorf("as of %d ms after %s", before, took)
	}
}

// O2 R2: a stream ends within a second of its credentials, here or elsewhere, and with the server.
func TestRevocationsEnd(t *testing.T) {
	s := newServer(t)
	other := s.again(t)
	for _, step := range []struct {
		what string
		deed func(name, id string) error
	}{
		{"removed", func(name, _ string) error { return s.RemoveResourceServer(t.Context(), models.CommandLine, name) }},
		{"rotated", func(_, id string) error {
			return s.RotateResourceServer(t.Context(), models.CommandLine, id, []byte("another"))
		}},
		{"the server stops", func(string, string) error {
			s.feed.Stop()
			other.feed.Stop()
			return nil
		}},
	} {
		api := s.resourceServer(t, step.what)
		var id string
		if err := s.Raw(t).QueryRowContext(t.Context(), "SELECT id FROM resource_servers WHERE client_id = ?", api.id).Scan(&id); err != nil {
			t.Fatal(err)
		}
		here, _ := s.follow(t, api)
		there, _ := other.follow(t, api)
		here.news()
		there.news()
		if err := step.deed(step.what, id); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for _, got := range []*stream{here, there} {
			if name, _ := got.news(); name != "" || time.Since(began) > time.Second {
				t.Errorf("%s: %q after %s", step.what, name, time.Since(began))
			}
		}
	}
	api := s.resourceServer(t, "late")
	refusal(t, "stopping", s.ask(t, http.MethodGet, revocationsPath, "", "Authorization", basic(api.id+":"+api.secret)), 503, "temporarily_unavailable")
}

// R1: one resource server has 250 streams at most on a node, and others have room.
func TestRevocationsLimit(t *testing.T) {
	s := newServer(t)
	api, other := s.resourceServer(t, "Orders"), s.resourceServer(t, "Billing")
	var last *stream
	for i := range 250 {
		got, status := s.follow(t, api)
		if status != 200 {
			t.Fatalf("stream %d: %d", i, status)
		}
		last = got
	}
	refusal(t, "one more", s.ask(t, http.MethodGet, revocationsPath, "", "Authorization", basic(api.id+":"+api.secret)), 429, "too_many_requests")
	if _, status := s.follow(t, other); status != 200 {
		t.Errorf("another one: %d", status)
	}
	_ = last.body.Close()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		got, status := s.follow(t, api)
		_ = got.body.Close()
		if status == 200 {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("a stream that was closed keeps its place")
		}
	}
}

// T4 T6: what was announced on one node is not good on another, for who says no-cache.
func TestIntrospectNow(t *testing.T) {
	s := newServer(t)
	api, other := s.resourceServer(t, "Orders"), s.again(t)
	for range 20 {
		value := s.token(t, "")
		for range 2 {
			if active(t, "before", other.introspect(t, api, value)) == nil {
				t.Fatal("a good token is not active")
			}
		}
		revoked(t, "revoke", s.revoke(t, s.me(), value))
		for _, header := range []string{"no-cache", "max-age=0, No-Cache"} {
			if got := active(t, "after", other.call(t, "introspect", api.form(ofToken(value)), "Cache-Control", header)); got != nil {
				t.Errorf("%s: %v", header, got)
			}
		}
	}
}

// Promise 2: a node that cannot ask its database has no heartbeat, and opens no stream.
func TestRevocationsWithoutADatabase(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	got, _ := s.follow(t, api)
	got.news()
	back := s.Away(t)
	beats := make(chan string, 1000)
	go func() {
		for name, _ := got.next(); name != ""; name, _ = got.next() {
			beats <- name
		}
	}()
	quiet := time.NewTimer(time.Second)
	for began, silent := time.Now(), false; !silent; {
		select {
		case <-beats:
			quiet.Reset(time.Second)
		case <-quiet.C:
			silent = true
		}
		if time.Since(began) > 3*time.Second {
			t.Fatal("heartbeats go on without the database")
		}
	}
	if a := s.ask(t, http.MethodGet, revocationsPath, "", "Authorization", basic(api.id+":"+api.secret)); a.status != http.StatusServiceUnavailable {
		t.Errorf("a stream is opened without the database: %d", a.status)
	}
	back()
	select {
	case <-beats:
	case <-time.After(10 * time.Second):
		t.Error("no heartbeat when the database is back")
	}
}
