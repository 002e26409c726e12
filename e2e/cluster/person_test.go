package cluster

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/e2e/harness"
)

const (
	password     = "correct horse 7 battery"
	applications = "/user/api_v2/applications"
	temporary    = "/user/api_v2/access_tokens/temporary"
	teamPage     = "/user/team"
)

// person is somebody without a browser: what they post is what the forms post. Each
// request comes to another node, and so does each page that it leads to.
type person struct {
	t    testing.TB
	base string
	http *http.Client
}

func newPerson(t testing.TB, base string) *person {
	t.Helper()
	return &person{t: t, base: base, http: harness.NewClient(t)}
}

// at is the same person, with the same cookies, at one node.
func (p *person) at(base string) *person {
	p.t.Helper()
	there := newPerson(p.t, base)
	there.http.Jar = p.http.Jar
	return there
}

// answer is what came back in the end, after all that it was led to.
type answer struct {
	status             int
	method, path, body string
}

func (p *person) send(method, target, body string, header http.Header) (answer, error) {
	if strings.HasPrefix(target, "/") {
		target = p.base + target
	}
	r, err := http.NewRequestWithContext(context.Background(), method, target, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range header {
		r.Header[name] = values
	}
	res, err := p.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Request.Method, res.Request.URL.Path, string(content)}, err
}

func (p *person) do(method, target, body string, header http.Header) answer {
	p.t.Helper()
	got, err := p.send(method, target, body, header)
	if err != nil {
		p.t.Error(err)
	}
	return got
}

func (p *person) get(target string) answer {
	p.t.Helper()
	return p.do(http.MethodGet, target, "", nil)
}

func (p *person) post(target string, form url.Values) answer {
	p.t.Helper()
	return p.do(http.MethodPost, target, form.Encode(), nil)
}

// deed posts a form and wants it to end on a page.
func (p *person) deed(target string, form url.Values) answer {
	p.t.Helper()
	got := p.post(target, form)
	if got.status != http.StatusOK || got.method != http.MethodGet {
		p.t.Errorf("POST %s: %d on %s", target, got.status, got.path)
	}
	return got
}

// create makes an application and returns its path.
func (p *person) create(name string) string {
	p.t.Helper()
	return p.deed(applications, url.Values{"name": {name}, "lifespan": {"3600"}}).path
}

// reveal asks for a value as the script does.
func (p *person) reveal(target string) string {
	p.t.Helper()
	got := p.do(http.MethodPost, target, "", http.Header{"Accept": {"application/json"}})
	var answer struct{ Value string }
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || answer.Value == "" {
		p.t.Errorf("revealing %s: %d %.200s", target, got.status, got.body)
	}
	return answer.Value
}

// generate makes a manual token and returns its path.
func (p *person) generate(app, name string) string {
	p.t.Helper()
	p.deed(app+"/tokens", url.Values{"name": {name}})
	path, ok := harness.PathOf(p.get(app).body, applications, "/reveal")
	if !ok {
		p.t.Fatal("the page of the application offers no token")
	}
	return path
}

// between cuts out what stands between two texts.
func (p *person) between(body, first, last string) string {
	p.t.Helper()
	_, after, ok := strings.Cut(body, first)
	found, _, ended := strings.Cut(after, last)
	if !ok || !ended {
		p.t.Fatalf("the page does not hold %q", first)
	}
	return found
}

// credentials are those of a new application.
func (p *person) credentials(name string) (app string, form url.Values) {
	p.t.Helper()
	app = p.create(name)
	id := p.between(p.get(app).body, `data-copy="`, `"`)
	return app, url.Values{"client_id": {id}, "client_secret": {p.reveal(app + "/secret/reveal")}}
}

func (p *person) token(credentials url.Values) (string, answer, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	for name, values := range credentials {
		form[name] = values
	}
	got, err := p.send(http.MethodPost, "/oauth2/token", form.Encode(), nil)
	var answer struct {
		Token string `json:"access_token"`
	}
	if err == nil && got.status == http.StatusOK {
		err = json.Unmarshal([]byte(got.body), &answer)
	}
	return answer.Token, got, err
}

func (p *person) newToken(credentials url.Values) string {
	p.t.Helper()
	token, got, err := p.token(credentials)
	if token == "" {
		p.t.Fatalf("no token: %d %s %v", got.status, got.body, err)
	}
	return token
}

func (p *person) revoke(credentials url.Values, token string) (answer, error) {
	form := url.Values{"token": {token}}
	for name, values := range credentials {
		form[name] = values
	}
	return p.send(http.MethodPost, "/oauth2/revoke", form.Encode(), nil)
}

func (p *person) verify(token string) (int, error) {
	got, err := p.send(http.MethodGet, "/oauth2/verify", "", http.Header{"Authorization": {"Bearer " + token}})
	return got.status, err
}

// setUp makes the first account through the balancer with a code that some node printed.
func (w *world) setUp(code int) *person {
	w.Helper()
	ana := newPerson(w, w.base)
	got := ana.deed(w.setupURLs[code], url.Values{"name": {"Ana Ruiz"}, "email": {"ana@northwind.example"}, "password": {password}, "team": {"Northwind"}})
	if got.path != applications {
		w.Fatalf("setting up ended on %s: %d", got.path, got.status)
	}
	return ana
}

// wantEverywhere wants one answer for a token on all nodes.
func (w *world) wantEverywhere(what, token string, want int) {
	w.Helper()
	for _, n := range w.nodes {
		if status, err := newPerson(w, n.base).verify(token); status != want {
			w.Errorf("%s: verify on %s: %d %v, want %d", what, n.base, status, err, want)
		}
	}
}
