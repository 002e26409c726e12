package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/e2e/harness"
)

const (
	password     = "correct horse 7 battery"
	ownerEmail   = "ana@northwind.example"
	applications = "/user/api_v2/applications"
	tokensPage   = "/user/api_v2/access_tokens"
)

// client is a person without a browser: what they post is what the forms post.
type client struct {
	t    testing.TB
	base string
	http *http.Client
	dir  string // the data of the program it signed in to
}

func newClient(t testing.TB, base string) *client {
	t.Helper()
	return &client{t: t, base: base, http: harness.NewClient(t)}
}

// owner starts a program with one owner, Ana Ruiz of Northwind, signed in.
func owner(t testing.TB, args ...string) (*server, *client) {
	t.Helper()
	dir := t.TempDir()
	addUser(t, dir, ownerEmail, "Ana Ruiz", "Northwind", "owner")
	s := startIn(t, dir, args...)
	return s, signIn(t, s, ownerEmail)
}

func signIn(t testing.TB, s *server, email string) *client {
	t.Helper()
	c := newClient(t, s.base)
	c.dir = s.dir
	got := c.post("/login", url.Values{"email": {email}, "password": {password}})
	inNoTeam := got.status == http.StatusForbidden && strings.Contains(got.body, "You are not in a team")
	if got.status != http.StatusOK && !inNoTeam || got.path != applications {
		t.Fatalf("signing in as %s: %d on %s", email, got.status, got.path)
	}
	return c
}

// answer is what came back in the end, after all that it was led to.
type answer struct {
	status int
	method string
	path   string
	body   string
}

// do sends a request, follows where it leads and reads the answer.
func (c *client) do(r *http.Request) answer {
	c.t.Helper()
	res, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Request.Method, res.Request.URL.Path, string(body)}
}

func (c *client) request(method, target, body string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+target, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (c *client) get(target string) answer {
	c.t.Helper()
	return c.do(c.request(http.MethodGet, target, ""))
}

func (c *client) post(target string, form url.Values) answer {
	c.t.Helper()
	return c.do(c.request(http.MethodPost, target, form.Encode()))
}

// deed posts a form and wants it to end on a page.
func (c *client) deed(target string, form url.Values) answer {
	c.t.Helper()
	got := c.post(target, form)
	if got.status != http.StatusOK || got.method != http.MethodGet {
		c.t.Fatalf("POST %s: %d on %s", target, got.status, got.path)
	}
	return got
}

// create makes an application with a lifespan of 5 hours and returns its path.
func (c *client) create(name string) string {
	c.t.Helper()
	return c.deed(applications, url.Values{"name": {name}, "lifespan": {"18000"}}).path
}

// builtIn returns the path of the application that holds temporary tokens.
func (c *client) builtIn() string {
	c.t.Helper()
	path, ok := harness.PathOf(c.get(applications+"?q=Temporary+(IDE)").body, applications, "/revoke")
	if !ok {
		c.t.Fatal("the list has no built-in application")
	}
	return path
}

// reveal asks for a value as the script does. app is an application's path.
func (c *client) reveal(target string) string {
	c.t.Helper()
	r := c.request(http.MethodPost, target+"/reveal", "")
	r.Header.Set("Accept", "application/json")
	got := c.do(r)
	var answer struct{ Value string }
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != http.StatusOK || answer.Value == "" {
		c.t.Fatalf("revealing %s: %d %s", target, got.status, got.body)
	}
	return answer.Value
}

// generate makes a manual token and returns its path.
func (c *client) generate(app, name string) string {
	c.t.Helper()
	c.deed(app+"/tokens", url.Values{"name": {name}})
	path, ok := harness.PathOf(c.get(app).body, applications, "/reveal")
	if !ok {
		c.t.Fatal("the page of the application offers no token")
	}
	return path
}

// clientIDOf reads the client ID off the application's page.
func (c *client) clientIDOf(app string) string {
	c.t.Helper()
	_, after, ok := strings.Cut(c.get(app).body, `data-copy="`)
	if !ok {
		c.t.Fatal("the page of the application has no client ID")
	}
	id, _, _ := strings.Cut(after, `"`)
	return id
}

// idOf is the last part of a path.
func idOf(target string) string { return path.Base(target) }

// newToken asks the token endpoint for a token, as curl would.
func (c *client) newToken(clientID, secret string) (token, problem string) {
	c.t.Helper()
	got := c.post("/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}, "scope": {"api"},
	})
	var answer struct {
		Token string `json:"access_token"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		c.t.Fatalf("token endpoint: %v\n%s", err, got.body)
	}
	return answer.Token, answer.Error
}

// verify asks whether a token is good.
func (c *client) verify(token string) (status int, body string) {
	c.t.Helper()
	r := c.request(http.MethodGet, "/oauth2/verify", "")
	r.Header.Set("Authorization", "Bearer "+token)
	got := c.do(r)
	return got.status, got.body
}

func (c *client) wantGood(token string) {
	c.t.Helper()
	if status, body := c.verify(token); status != http.StatusOK || token == "" {
		c.t.Errorf("verify: %d %q, want 200", status, body)
	}
}

func (c *client) wantRefused(token string) {
	c.t.Helper()
	if status, body := c.verify(token); status != http.StatusUnauthorized || strings.TrimSpace(body) != "Unauthorized" {
		c.t.Errorf("verify: %d %q, want 401 Unauthorized", status, body)
	}
}
