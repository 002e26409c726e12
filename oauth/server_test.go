package oauth_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
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
	form  = "application/x-www-form-urlencoded"
	realm = "Latchkey"
	// issuerURL is the public address, which differs from where the test listens.
	issuerURL = "https://account.example.com"
)

// server is the OAuth side over HTTP, on a real database, with one application.
type server struct {
	*storetest.DB
	url    string
	log    *buffer
	ana    models.Actor
	app    models.Application
	secret string
	// settle stops the batches of last-used times and writes the rest.
	settle func() error
}

// buffer is what the log goes to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newServer(t *testing.T) *server { return newServerWithTimeout(t, 15*time.Second) }

// newServerWithTimeout puts together what cmd/web does.
func newServerWithTimeout(t *testing.T, timeout time.Duration) *server {
	t.Helper()
	s := &server{DB: storetest.New(t), log: &buffer{}}
	keys, err := secrets.CreateKeys(filepath.Join(t.TempDir(), "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return s.Now().Std() }
	log := slog.New(slog.NewJSONHandler(s.log, nil))
	lastUsed := tokens.NewLastUsed(context.WithoutCancel(t.Context()), s.Store, log, time.Hour)
	s.settle = sync.OnceValue(func() error { return lastUsed.Close(context.Background()) })
	t.Cleanup(func() { _ = s.settle() })
	cache := tokens.NewCache()
	s.Subscribe(cache.Forget)
	feed := tokens.NewFeed(context.WithoutCancel(t.Context()), s.Store, cache, log)
	t.Cleanup(feed.Close)
	issuer := tokens.NewIssuer(context.WithoutCancel(t.Context()), s.Store, keys, "lk_at_", 365*86400, s.Now)
	t.Cleanup(func() { _ = issuer.Close(context.Background()) })
	handler := oauth.New(oauth.Deps{
		Store: s.Store, Issuer: issuer, Verifier: tokens.NewVerifier(s.Store, cache, lastUsed, s.Now),
		Clients: tokens.NewClients(s.Store, cache), LastUsed: lastUsed,
		IssuerURL: issuerURL, Scopes: []string{"api", "stream"}, DocsURL: issuerURL + "/docs", Realm: realm, Now: now,
	})
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
		echomiddleware.ContextTimeout(timeout), middleware.RequestID(),
		middleware.SecurityHeaders(false, func(path string) bool { return !oauth.Owns(path) }),
		middleware.Log(log, now), middleware.Recover(),
	)
	handler.Routes(e)
	listening := httptest.NewServer(e)
	t.Cleanup(listening.Close)
	s.url = listening.URL
	s.ana = s.Member(t, "northwind", "ana", models.RoleOwner)
	s.app, s.secret = s.client(t, "Trading bot", "api stream")
	return s
}

// client makes an application with a secret that works.
func (s *server) client(t *testing.T, name, scopes string) (models.Application, string) {
	t.Helper()
	app := models.Application{ID: store.NewID(), Type: models.TypeService, Name: name, ClientID: store.NewID(), Lifespan: 3600, Scopes: scopes}
	value := secrets.NewClientSecret()
	if _, err := s.CreateApplication(t.Context(), s.ana, app, clientSecret(value), ""); err != nil {
		t.Fatal(err)
	}
	app.TeamID = s.ana.TeamID
	return app, value.Reveal()
}

func clientSecret(value models.Secret) models.ClientSecret {
	return models.ClientSecret{ID: store.NewID(), Hash: secrets.Hash(value), Sealed: []byte("sealed"), Last4: value.Last4()}
}

// credentials is a good form, with more parameters behind it.
func (s *server) credentials(more string) string {
	return "grant_type=client_credentials&client_id=" + s.app.ClientID + "&client_secret=" + url.QueryEscape(s.secret) + more
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request. Headers are pairs of name and value; a name may come twice.
func (s *server) ask(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	return s.send(t, method, path, strings.NewReader(body), headers...)
}

func (s *server) send(t *testing.T, method, path string, body io.Reader, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(got)}
}

// post sends a form to the token endpoint.
func (s *server) post(t *testing.T, body string, headers ...string) answer {
	t.Helper()
	return s.ask(t, http.MethodPost, "/oauth2/token", body, append([]string{"Content-Type", form}, headers...)...)
}

// token gets a token the usual way.
func (s *server) token(t *testing.T, more string) string {
	t.Helper()
	var got struct {
		AccessToken string `json:"access_token"`
	}
	a := s.post(t, s.credentials(more))
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusOK || got.AccessToken == "" {
		t.Fatalf("no token: %d %s", a.status, a.body)
	}
	return got.AccessToken
}

// raw opens the database beside the program, as an operator with a shell would.
func (s *server) raw(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+s.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// stored counts the tokens in the database.
func (s *server) stored(t *testing.T) (n int) {
	t.Helper()
	if err := s.raw(t).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM tokens").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
