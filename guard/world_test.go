package guard_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/guard"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/oauth"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/tokens"
)

// promised is how long a revoked token may be accepted after the answer that revoked it.
const promised = time.Second

// node is a Latchkey that serves OAuth on a database.
type node struct {
	store    *store.Store
	issuer   *tokens.Issuer
	listener *httptest.Server
	// stop ends it as a signal does.
	stop func()
	// introspected counts questions about tokens.
	mu           sync.Mutex
	introspected int
}

func (n *node) asked() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.introspected
}

// world is a database with a team, an application and a resource server, and a node on it.
type world struct {
	*storetest.DB
	*node
	keys   *secrets.Keys
	ana    models.Actor
	app    models.Application
	server models.ResourceServer
	secret string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{DB: storetest.New(t)}
	w.Until(models.At(time.Now())) // the guard has a clock of its own
	var err error
	if w.keys, err = secrets.CreateKeys(filepath.Join(t.TempDir(), "keys.json")); err != nil {
		t.Fatal(err)
	}
	w.node = w.startOn(t, w.Store, "127.0.0.1:0")
	w.ana = w.Member(t, "northwind", "ana", models.RoleOwner)
	w.app = w.Application(t, w.ana, "Trading bot")
	secret := secrets.NewClientSecret()
	w.secret = secret.Reveal()
	w.server = models.ResourceServer{ID: store.NewID(), Name: "Orders", ClientID: store.NewID(), Hash: secrets.Hash(secret)}
	if err := w.AddResourceServer(t.Context(), models.CommandLine, w.server); err != nil {
		t.Fatal(err)
	}
	return w
}

// other starts another node on the same database.
func (w *world) other(t testing.TB) *node {
	t.Helper()
	db, err := store.Open(w.Path, w.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return w.startOn(t, db, "127.0.0.1:0")
}

// remembering is a world with an API behind a guard, and the node on which something is done: the
// one that the guard follows, or another one.
func remembering(t testing.TB, elsewhere bool) (w *world, acting *node, behind http.Handler) {
	t.Helper()
	w = newWorld(t)
	acting = w.node
	if elsewhere {
		acting = w.other(t)
	}
	return w, acting, api(w.guardAt(t, w.listener.URL))
}

func (w *world) startOn(t testing.TB, db *store.Store, address string) *node {
	t.Helper()
	background, log := context.WithoutCancel(t.Context()), slog.New(slog.DiscardHandler)
	n := &node{store: db, issuer: tokens.NewIssuer(background, db, w.keys, "lk_at_", 365*86400, w.Now)}
	cache := tokens.NewCache()
	db.Subscribe(cache.Forget)
	lastUsed := tokens.NewLastUsed(background, db, log, time.Hour)
	feed, revocations := tokens.NewFeed(background, db, cache, log), tokens.NewRevocations(background, db, log)
	db.Subscribe(revocations.Hear)
	verifier := tokens.NewVerifier(db, cache, lastUsed, w.Now)
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if !c.Response().Committed {
			_ = oauth.WriteError(c, err)
		}
	}
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if strings.HasSuffix(c.Request().URL.Path, "/introspect") {
				n.mu.Lock()
				n.introspected++
				n.mu.Unlock()
			}
			return next(c)
		}
	})
	oauth.New(oauth.Deps{
		Store: db, Issuer: n.issuer, Verifier: verifier, Clients: tokens.NewClients(db, cache), LastUsed: lastUsed, Revocations: revocations,
		Tickets: tokens.NewTickets(db, verifier, w.Now), IssuerURL: "https://account.example.com", Realm: "latchkey",
		Scopes: []string{"api", "orders"}, Now: func() time.Time { return w.Now().Std() },
	}).Routes(e)
	n.listener = listen(t, address, e)
	n.stop = sync.OnceFunc(func() {
		revocations.Stop()
		n.listener.CloseClientConnections()
		n.listener.Close()
		revocations.Close()
		feed.Close()
		_ = n.issuer.Close(background)
		_ = lastUsed.Close(background)
	})
	t.Cleanup(n.stop)
	return n
}

// listen serves on an address that may have been another's a moment ago.
func listen(t testing.TB, address string, handler http.Handler) *httptest.Server {
	t.Helper()
	listening := httptest.NewUnstartedServer(handler)
	if address != "127.0.0.1:0" {
		_ = listening.Listener.Close()
		within(t, "listen again", 10*time.Second, func() bool {
			var err error
			listening.Listener, err = listenOn(address)
			return err == nil
		})
	}
	listening.Config.ReadTimeout, listening.Config.WriteTimeout = 10*time.Second, 30*time.Second // as cmd/web has them
	listening.Start()
	return listening
}

// token makes a token of the first application.
func (w *world) token(t testing.TB) (models.Token, string) {
	t.Helper()
	return w.tokenOf(t, w.app, "api")
}

func (w *world) tokenOf(t testing.TB, app models.Application, scopes string) (models.Token, string) {
	t.Helper()
	app.TeamID = w.ana.TeamID
	token, value, err := w.issuer.Issue(t.Context(), &app, scopes)
	if err != nil {
		t.Fatal(err)
	}
	return token, value.Reveal()
}

// temporary makes a member's temporary token.
func (w *world) temporary(t testing.TB, actor models.Actor) string {
	t.Helper()
	_, value, err := w.issuer.Temporary(t.Context(), actor, "api")
	if err != nil {
		t.Fatal(err)
	}
	return value.Reveal()
}

// guardAt makes a guard that asks at an address.
func (w *world) guardAt(t testing.TB, url string, change ...func(*guard.Config)) *guard.Guard {
	t.Helper()
	config := guard.Config{BaseURL: url, ClientID: w.server.ClientID, ClientSecret: w.secret, Log: slog.New(slog.DiscardHandler)}
	for _, change := range change {
		change(&config)
	}
	g, err := guard.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// api is an API with a guard before it.
func api(g *guard.Guard) http.Handler {
	return g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := guard.FromContext(r.Context())
		_, _ = fmt.Fprint(w, "hello ", token.ClientID)
	}))
}

func call(handler http.Handler, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/orders", nil) //nolint:noctx // it goes nowhere
	for _, value := range headers {
		r.Header.Add("Authorization", value)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	return answer
}

func status(handler http.Handler, value string) int { return call(handler, "Bearer "+value).Code }

// remembered waits until a guard answers from memory, and so follows.
func (n *node) remembered(t testing.TB, handler http.Handler, value string) {
	t.Helper()
	within(t, "remembered", 10*time.Second, func() bool {
		if got := status(handler, value); got != http.StatusOK {
			t.Fatalf("a good token gets %d", got)
		}
		before := n.asked()
		return status(handler, value) == http.StatusOK && n.asked() == before
	})
}

// within waits until something is so and says how long that took.
func within(t testing.TB, what string, limit time.Duration, so func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !so() {
		if time.Since(began) > limit+20*time.Second {
			t.Fatalf("%s: not after %s", what, time.Since(began))
		}
		time.Sleep(time.Millisecond)
	}
	took := time.Since(began)
	if took > limit {
		t.Errorf("%s: after %s, want %s", what, took, limit)
	}
	return took
}
