package handlers_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/net/html"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

const password = "seven gulls over Brest"

// passwordHash is made once.
var passwordHash = sync.OnceValue(func() string {
	hash, err := secrets.NewCheapPasswords(1).Hash(context(), models.NewSecret(password))
	if err != nil {
		panic(err)
	}
	return hash
})

const setupCode = "the-code-of-the-log"

// site is the pages over real HTTP and a real database.
type site struct {
	*httptest.Server
	db    *storetest.DB
	pages *handlers.Handlers
	keys  *secrets.Keys
}

// gateway is one with the routes given, for change functions that want some.
func (s *site) gateway(t testing.TB, deps handlers.Deps, routes ...models.Upstream) *gateway.Gateway {
	t.Helper()
	lastUsed := tokens.NewLastUsed(t.Context(), s.db.Store, deps.Log, time.Hour)
	verifier := tokens.NewVerifier(s.db.Store, tokens.NewCache(), lastUsed, s.db.Now)
	return gateway.New(gateway.Deps{
		Routes: routes, Verifier: verifier, Meter: deps.Meter, Tickets: tokens.NewTickets(s.db.Store, verifier, s.db.Now),
		Streams: gateway.NewStreams(t.Context(), verifier, deps.Meter), Refusals: gateway.NewRefusals(t.Context(), s.db.Store, deps.Log, s.db.Now, time.Hour), Realm: "latchkey", Log: deps.Log, Now: deps.Now,
	})
}

func newSite(t testing.TB, change ...func(*handlers.Deps)) *site {
	t.Helper()
	s := &site{db: storetest.New(t)}
	var err error
	if s.keys, err = secrets.CreateKeys(filepath.Join(t.TempDir(), "keys.json")); err != nil {
		t.Fatal(err)
	}
	opens := models.Ceremony{IDHash: secrets.Hash(models.NewSecret(setupCode)), Kind: models.CeremonySetup}
	if err := s.db.BeginCeremony(t.Context(), opens, models.SetupCodeLives); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return s.db.Now().Std() }
	deps := handlers.Deps{
		Store: s.db.Store, Issuer: tokens.NewIssuer(t.Context(), s.db, s.keys, "lk_at_", 365*86400, s.db.Now), Keys: s.keys,
		Passwords: secrets.NewCheapPasswords(2), Mail: &mail.Mailer{}, Log: slog.New(slog.DiscardHandler), Now: now,
		BaseURL: "http://127.0.0.1:8080", DocsURL: "/docs/authorization",
		Limits:      models.Limits{MaxLifespan: 365 * 86400, Scopes: []string{"api"}},
		SessionIdle: 12 * time.Hour, SessionMax: 168 * time.Hour, KeepAudit: 365 * 24 * time.Hour,
	}
	deps.Meter = usage.New(t.Context(), s.db.Store, deps.Log, s.db.Now, nil)
	deps.Gateway = s.gateway(t, deps)
	for _, f := range change {
		f(&deps)
	}
	s.pages = handlers.New(deps)
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if err := s.pages.WriteError(c, err); err != nil {
			t.Error(err)
		}
	}
	e.IPExtractor = echo.ExtractIPFromXFFHeader()
	e.Use(middleware.RequestID(), middleware.SecurityHeaders(deps.HTTPS, func(string) bool { return true }), middleware.Log(deps.Log, now))
	s.pages.Routes(e)
	s.Server = httptest.NewServer(e)
	t.Cleanup(s.Close)
	return s
}

// member adds an account that can sign in with password.
func (s *site) member(t testing.TB, team, name string, role models.Role) models.Actor {
	t.Helper()
	actor := s.db.Member(t, team, name, role)
	if err := s.db.SetPassword(t.Context(), models.CommandLine, actor.Email, passwordHash()); err != nil {
		t.Fatal(err)
	}
	return actor
}

// browser is an HTTP client that keeps cookies and does not follow redirects.
type browser struct {
	t      testing.TB
	site   *site
	client *http.Client
}

func (s *site) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, site: s, client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (s *site) signedIn(t testing.TB, actor models.Actor) *browser {
	t.Helper()
	b := s.browser(t)
	if answer := b.signIn(actor.Email, password); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("signing in as %s: %s %s", actor.Email, answer.Status, answer.text())
	}
	return b
}

func (b *browser) signIn(email, password string) answer {
	return b.post("/login", "email", email, "password", password)
}

// answer is a response read to its end.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(method, path string, fields url.Values, header http.Header) answer {
	b.t.Helper()
	var body io.Reader
	if fields != nil {
		body = strings.NewReader(fields.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.site.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if header != nil {
		r.Header = header.Clone()
	}
	if fields != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response, string(text)}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil, nil)
}

// post sends pairs of names and values.
func (b *browser) post(path string, pairs ...string) answer {
	b.t.Helper()
	return b.do(http.MethodPost, path, values(pairs...), nil)
}

func values(pairs ...string) url.Values {
	fields := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		fields.Add(pairs[i], pairs[i+1])
	}
	return fields
}

func (b *browser) cookie(name string) *http.Cookie {
	at, _ := url.Parse(b.site.URL)
	for _, cookie := range b.client.Jar.Cookies(at) {
		if cookie.Name == name {
			return cookie
		}
	}
	return nil
}

// to is the path that a redirect leads to.
func (a answer) to() string { return a.Header.Get("Location") }

func (a answer) expect(t *testing.T, status int, parts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s %s: %s, want %d", a.Request.Method, a.Request.URL.Path, a.Status, status)
	}
	for _, part := range parts {
		if !strings.Contains(a.text(), part) {
			t.Errorf("%s %s: no %q in\n%s", a.Request.Method, a.Request.URL.Path, part, a.text())
		}
	}
}

// text is what a reader of the page sees, in one line.
func (a answer) text() string {
	root, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		return a.body
	}
	var words []string
	for node := range root.Descendants() {
		if node.Type == html.TextNode {
			words = append(words, strings.Fields(node.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// field finds a control by its name attribute, and the text of the error beside it.
func (a answer) field(name string) (value, problem string) {
	root, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		return "", ""
	}
	for node := range root.Descendants() {
		if attr(node, "name") != name {
			continue
		}
		value = attr(node, "value")
		if node.Data == "textarea" {
			value = textOf(node)
		}
		for id := range strings.FieldsSeq(attr(node, "aria-describedby")) {
			if strings.HasSuffix(id, "-error") {
				problem = textOf(byID(root, id))
			}
		}
		return value, problem
	}
	return "", ""
}

func attr(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func byID(root *html.Node, id string) *html.Node {
	for node := range root.Descendants() {
		if attr(node, "id") == id {
			return node
		}
	}
	return nil
}

func textOf(node *html.Node) string {
	if node == nil {
		return ""
	}
	var b strings.Builder
	for n := range node.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// application makes one with a secret and a manual token that can be shown.
func (s *site) application(t *testing.T, actor models.Actor, name string) (app models.Application, token string) {
	t.Helper()
	app = models.Application{ID: store.NewID(), TeamID: actor.TeamID, Type: models.TypeService, Name: name, ClientID: store.NewID(), Lifespan: 18000, Scopes: "api"}
	id, value := store.NewID(), secrets.NewClientSecret()
	sealed, err := s.keys.Seal(value, secrets.Place{Table: "client_secrets", Column: "sealed", Row: id})
	if err != nil {
		t.Fatal(err)
	}
	secret := models.ClientSecret{ID: id, Hash: secrets.Hash(value), Sealed: sealed, Last4: value.Last4()}
	if _, err := s.db.CreateApplication(t.Context(), actor, app, secret, ""); err != nil {
		t.Fatal(err)
	}
	token, err = tokens.NewIssuer(t.Context(), s.db, s.keys, "lk_at_", 365*86400, s.db.Now).Generate(t.Context(), actor, app, models.TokenValues{}, "")
	if err != nil {
		t.Fatal(err)
	}
	return app, token
}
