package oauth_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/oauth"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/tokens"
)

const (
	realm = "Latchkey"
	// issuerURL is the public address, which differs from where the test listens.
	issuerURL = "https://account.example.com"
)

// server is the OAuth side over HTTP, on a real database, with one application.
type server struct {
	*storetest.DB
	echo   *echo.Echo
	url    string
	log    *buffer
	keys   *secrets.Keys
	issuer *tokens.Issuer
	ana    models.Actor
	app    models.Application
	secret string
	noted  *noted

	feed *tokens.Revocations
	// settle stops the batches of last-used times and writes the rest.
	settle func() error
}

// buffer is what the log goes to, unless it is muted.
type buffer struct {
	mu    sync.Mutex
	b     bytes.Buffer
	muted bool
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.muted {
		return len(p), nil
	}
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// mute is for tests with more requests than a log should hold.
func (b *buffer) mute() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.muted = true
}

func newServer(t testing.TB) *server {
	t.Helper()
	return newServerWithTimeout(t, 15*time.Second)
}

func newServerWithTimeout(t testing.TB, timeout time.Duration) *server {
	t.Helper()
	s := &server{DB: storetest.New(t), log: &buffer{}}
	var err error
	if s.keys, err = secrets.CreateKeys(filepath.Join(t.TempDir(), "keys.json")); err != nil {
		t.Fatal(err)
	}
	s.serve(t, s.deps(t, s.Store), timeout)
	s.ana = s.Member(t, "northwind", "ana", models.RoleOwner)
	s.app, s.secret = s.client(t, "Trading bot", "api stream")
	return s
}

// again starts another server on the same data, as after a restart or on another
// node. What its own methods change is changed by the first one.
func (s *server) again(t testing.TB) *server {
	t.Helper()
	opened, err := store.Open(s.Path, s.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	other := *s
	other.serve(t, other.deps(t, opened), 15*time.Second)
	return &other
}

// deps puts together what cmd/web does.
func (s *server) deps(t testing.TB, db *store.Store) oauth.Deps {
	t.Helper()
	log := slog.New(slog.NewJSONHandler(s.log, nil))
	background := context.WithoutCancel(t.Context())
	lastUsed := tokens.NewLastUsed(background, db, log, time.Hour)
	s.settle = sync.OnceValue(func() error { return lastUsed.Close(background) })
	settle := s.settle
	t.Cleanup(func() { _ = settle() })
	cache := tokens.NewCache()
	db.Subscribe(cache.Forget)
	feed := tokens.NewFeed(background, db, cache, log)
	t.Cleanup(feed.Close)
	s.issuer = tokens.NewIssuer(background, db, s.keys, "lk_at_", 365*86400, s.Now)
	issuer := s.issuer
	t.Cleanup(func() { _ = issuer.Close(background) })
	s.feed = tokens.NewRevocations(background, db, log)
	db.Subscribe(s.feed.Hear)
	t.Cleanup(s.feed.Close)
	s.noted = &noted{}
	verifier := tokens.NewVerifier(db, cache, lastUsed, s.Now)
	return oauth.Deps{
		Refusals: s.noted,
		Store:    db, Issuer: issuer, Verifier: verifier, Tickets: tokens.NewTickets(db, verifier, s.Now),
		Clients: tokens.NewClients(db, cache), LastUsed: lastUsed, Revocations: s.feed,
		IssuerURL: issuerURL, Scopes: []string{"api", "stream"}, DocsURL: issuerURL + "/docs", Realm: realm,
		Now: func() time.Time { return s.Now().Std() },
	}
}

// noted keeps refused calls as they come.
type noted struct {
	mu  sync.Mutex
	all []note
}

type note struct {
	tokens.RefusedError
	route, address, agent string
}

func (n *noted) Note(refused tokens.RefusedError, route, address, agent string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, note{refused, route, address, agent})
}

// take returns what was noted since it was asked last.
func (n *noted) take() []note {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.all
	n.all = nil
	return taken
}

// serve listens.
func (s *server) serve(t testing.TB, deps oauth.Deps, timeout time.Duration) {
	t.Helper()
	log := slog.New(slog.NewJSONHandler(s.log, nil))
	e := echo.New()
	e.IPExtractor = echo.ExtractIPFromXFFHeader(echo.TrustLoopback(true), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false))
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		if err := oauth.WriteError(c, err); err != nil {
			log.Error("error not written", "error", err)
		}
	}
	e.Use(
		echomiddleware.ContextTimeoutWithConfig(echomiddleware.ContextTimeoutConfig{
			Timeout: timeout, Skipper: func(c echo.Context) bool { return c.Request().URL.Path == "/oauth2/revocations" },
		}), middleware.RequestID(),
		middleware.SecurityHeaders(false, func(path string) bool { return !oauth.Owns(path) }),
		middleware.Log(log, deps.Now), middleware.Recover(),
	)
	oauth.New(deps).Routes(e)
	listening := httptest.NewServer(e)
	t.Cleanup(listening.Close)
	t.Cleanup(deps.Revocations.Stop)
	s.echo, s.url = e, listening.URL
}

// client makes an application of the first team with a secret that works.
func (s *server) client(t testing.TB, name, scopes string) (models.Application, string) {
	t.Helper()
	return s.clientOf(t, s.ana, name, scopes)
}

func (s *server) clientOf(t testing.TB, actor models.Actor, name, scopes string) (models.Application, string) {
	t.Helper()
	app := models.Application{ID: store.NewID(), Type: models.TypeService, Name: name, ClientID: store.NewID(), Lifespan: 3600, Scopes: scopes}
	value := secrets.NewClientSecret()
	if _, err := s.CreateApplication(t.Context(), actor, app, clientSecret(value), ""); err != nil {
		t.Fatal(err)
	}
	app.TeamID = actor.TeamID
	return app, value.Reveal()
}

func clientSecret(value models.Secret) models.ClientSecret {
	return models.ClientSecret{ID: store.NewID(), Hash: secrets.Hash(value), Sealed: []byte("sealed"), Last4: value.Last4()}
}
