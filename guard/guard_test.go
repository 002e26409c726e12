package guard_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/guard"
	"github.com/latchkey/latchkey/models"
)

// O9: one Authorization header with one bearer token, and the answers of RFC 6750 section 3.
func TestMiddlewareAnswers(t *testing.T) {
	w := newWorld(t)
	g := w.guardAt(t, w.listener.URL, func(c *guard.Config) { c.Scopes, c.Realm = []string{"api"}, `my "api"` })
	handler := api(g)
	_, value := w.token(t)
	const realm = `Bearer realm="my \"api\""`
	for _, test := range []struct {
		what      string
		headers   []string
		status    int
		challenge string
		body      string
	}{
		{"good", []string{"Bearer " + value}, 200, "", "hello " + w.app.ClientID},
		{"small letters", []string{"bearer   " + value + " "}, 200, "", "hello " + w.app.ClientID},
		{"none", nil, 401, realm, "Unauthorized"},
		{"Basic", []string{"Basic eDp5"}, 401, realm, "Unauthorized"},
		{"empty", []string{"Bearer "}, 401, realm, "Unauthorized"},
		{"twice", []string{"Bearer " + value, "Bearer " + value}, 401, realm + `, error="invalid_token"`, "Unauthorized"},
		{"two in one", []string{"Bearer " + value + ", Bearer x"}, 401, realm + `, error="invalid_token"`, "Unauthorized"},
		{"unknown", []string{"Bearer x"}, 401, realm + `, error="invalid_token"`, "Unauthorized"},
		{"long", []string{"Bearer " + strings.Repeat("x", 600)}, 401, realm + `, error="invalid_token"`, "Unauthorized"},
		{"a digit more", []string{"Bearer " + value + "0"}, 401, realm + `, error="invalid_token"`, "Unauthorized"},
	} {
		for range 2 { // asked about, and remembered
			got := call(handler, test.headers...)
			if got.Code != test.status || got.Header().Get("WWW-Authenticate") != test.challenge || got.Body.String() != test.body {
				t.Errorf("%s: %d %q %q", test.what, got.Code, got.Header(), got.Body)
			}
		}
	}
	orders := handler
	for what, handler := range map[string]http.Handler{
		"alone": g.Require("api", "orders")(orders), "within": g.Middleware(g.Require("api", "orders")(orders)),
	} {
		got := call(handler, "Bearer "+value)
		if got.Code != 403 || got.Header().Get("WWW-Authenticate") != realm+`, error="insufficient_scope", scope="api orders"` || got.Body.String() != "Forbidden: insufficient_scope\n" {
			t.Errorf("%s: %d %q %q", what, got.Code, got.Header(), got.Body)
		}
	}
	if _, ok := guard.FromContext(t.Context()); ok {
		t.Error("a context that passed no guard has a token")
	}
}

func TestCheckSaysWhose(t *testing.T) {
	w := newWorld(t)
	g := w.guardAt(t, w.listener.URL)
	token, value := w.token(t)
	w.remembered(t, api(g), value)
	got, err := g.Check(t.Context(), value)
	want := guard.Token{
		ID: token.ID, Team: w.ana.TeamID, Application: w.app.ID, ClientID: w.app.ClientID, Scope: "api",
		IssuedAt: time.Unix(token.CreatedAt.Std().Unix(), 0), ExpiresAt: time.Unix(token.ExpiresAt.Std().Unix(), 0),
	}
	if err != nil || got != want || !got.HasScope("api") || got.HasScope("ap") || got.HasScope("") {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// T5: a token ends at its moment though nobody revokes it.
func TestExpiry(t *testing.T) {
	w := newWorld(t)
	app := w.app
	app.TeamID, app.Lifespan = w.ana.TeamID, 4
	token, secret, err := w.issuer.Issue(t.Context(), &app, "api")
	if err != nil {
		t.Fatal(err)
	}
	handler := api(w.guardAt(t, w.listener.URL))
	w.remembered(t, handler, secret.Reveal())
	end := token.ExpiresAt.Std()
	for time.Now().Before(end) {
		time.Sleep(time.Millisecond)
	}
	w.Until(token.ExpiresAt) // Latchkey's clock
	within(t, "expired", promised, func() bool { return status(handler, secret.Reveal()) == http.StatusUnauthorized })
}

// R1 R3: guesses fill no memory, come a few at a time, and hold up nobody who is known.
func TestGuesser(t *testing.T) {
	w := newWorld(t)
	var now, most atomic.Int64
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // it is one
	trip := tripper(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/introspect") {
			n := now.Add(1)
			defer now.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
		}
		return transport.RoundTrip(r)
	})
	handler := api(w.guardAt(t, w.listener.URL, func(c *guard.Config) { c.HTTPClient = &http.Client{Transport: trip} }))
	_, value := w.token(t)
	w.remembered(t, handler, value)
	var guessers sync.WaitGroup
	var refused atomic.Int64
	for i := range 100 {
		guessers.Go(func() {
			for j := range 30 {
				if status(handler, fmt.Sprint("lk_at_", i, ".", j)) == http.StatusUnauthorized {
					refused.Add(1)
				}
			}
		})
	}
	var slowest time.Duration
	for range 1000 {
		began := time.Now()
		if got := status(handler, value); got != http.StatusOK {
			t.Errorf("a good token: %d", got)
		}
		slowest = max(slowest, time.Since(began))
	}
	guessers.Wait()
	if refused.Load() != 3000 || most.Load() > 32 {
		t.Errorf("%d guesses refused, %d asked about at once", refused.Load(), most.Load())
	}
	before := w.asked()
	for range 1000 {
		status(handler, "the-same-again")
	}
	if asked := w.asked() - before; asked > 5 {
		t.Errorf("one bad token was asked about %d times", asked)
	}
	t.Logf("slowest good call %s, %d at once", slowest, most.Load())
}

// Many who come with a new token at once are one question.
func TestOneQuestionForAll(t *testing.T) {
	w := newWorld(t)
	handler := api(w.guardAt(t, w.listener.URL))
	_, first := w.token(t)
	w.remembered(t, handler, first)
	_, value := w.token(t)
	before := w.asked()
	var callers sync.WaitGroup
	for range 200 {
		callers.Go(func() {
			if got := status(handler, value); got != http.StatusOK {
				t.Errorf("%d", got)
			}
		})
	}
	callers.Wait()
	if asked := w.asked() - before; asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// Close ends every goroutine, and with them everything that was good.
func TestClose(t *testing.T) {
	w := newWorld(t)
	g := w.guardAt(t, w.listener.URL)
	_, value := w.token(t)
	w.remembered(t, api(g), value)
	g.Close()
	g.Close()
	if _, err := g.Check(t.Context(), value); !errors.Is(err, guard.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
	within(t, "no goroutine", 5*time.Second, func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "guard.(*Guard)")
	})
}

// Who gives up waiting does not end the question for others.
func TestCallerGivesUp(t *testing.T) {
	w := newWorld(t)
	g := w.guardAt(t, w.listener.URL)
	_, value := w.token(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Check(gone, value); !errors.Is(err, guard.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := g.Check(t.Context(), value); err != nil {
		t.Error(err)
	}
}

// G3: credentials and tokens go where they should, and nowhere in the clear.
func TestConfig(t *testing.T) {
	good := guard.Config{BaseURL: "https://127.0.0.1:1/", ClientID: "id", ClientSecret: "secret", Log: slog.New(slog.DiscardHandler)}
	for what, change := range map[string]func(c *guard.Config){
		"no address":       func(c *guard.Config) { c.BaseURL = "" },
		"no scheme":        func(c *guard.Config) { c.BaseURL = "account.example.com" },
		"ftp":              func(c *guard.Config) { c.BaseURL = "ftp://account.example.com" },
		"a user":           func(c *guard.Config) { c.BaseURL = "https://a:b@account.example.com" },
		"a query":          func(c *guard.Config) { c.BaseURL = "https://account.example.com?x=y" },
		"in the clear":     func(c *guard.Config) { c.BaseURL = "http://account.example.com" },
		"no ID":            func(c *guard.Config) { c.ClientID = "" },
		"no secret":        func(c *guard.Config) { c.ClientSecret = "" },
		"a negative size":  func(c *guard.Config) { c.CacheSize = -1 },
		"a broken scope":   func(c *guard.Config) { c.Scopes = []string{`a"b`} },
		"two in one scope": func(c *guard.Config) { c.Scopes = []string{"a b"} },
	} {
		config := good
		change(&config)
		if g, err := guard.New(config); err == nil {
			g.Close()
			t.Errorf("%s is taken", what)
		} else if strings.Contains(err.Error(), "secret\"") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, base := range []string{good.BaseURL, "http://localhost:1", "http://[::1]:1"} {
		config := good
		config.BaseURL = base
		g, err := guard.New(config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Check(t.Context(), "x"); !errors.Is(err, guard.ErrUnavailable) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", base, err)
		}
		g.Close()
	}
}

// T3: a redirect takes neither the token nor the credentials elsewhere.
func TestRedirect(t *testing.T) {
	var elsewhere atomic.Int64
	other := listen(t, "127.0.0.1:0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	first := listen(t, "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer first.Close()
	w := &world{server: models.ResourceServer{ClientID: "id"}, secret: "secret"}
	g := w.guardAt(t, first.URL)
	defer g.Close()
	if _, err := g.Check(t.Context(), "x"); !errors.Is(err, guard.ErrUnavailable) || elsewhere.Load() != 0 {
		t.Errorf("%v, %d requests elsewhere", err, elsewhere.Load())
	}
}

func Example() {
	g, err := guard.New(guard.Config{
		BaseURL: "https://account.example.com", ClientID: "the resource server's client ID", ClientSecret: "its secret",
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer g.Close()
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := guard.FromContext(r.Context())
		_, _ = fmt.Fprintln(w, "orders of team", token.Team)
	})
	mux := http.NewServeMux()
	mux.Handle("GET /orders", orders)
	mux.Handle("POST /orders", g.Require("orders")(orders))
	answer := call(g.Middleware(mux)) // without a token
	fmt.Println(answer.Code, answer.Body)
	// Output: 401 Unauthorized
}
