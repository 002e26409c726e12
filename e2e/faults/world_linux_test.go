package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	password     = "correct horse 7 battery"
	email        = "ana@northwind.example"
	applications = "/user/api_v2/applications"
)

// world is a program, a person who is signed in, an application, and every token that was
// answered.
type world struct {
	*program
	http        *http.Client
	app         string
	credentials url.Values

	// mu guards what was answered: tokens that are good, that were revoked, and those
	// whose revocation was not answered with 200.
	mu                    sync.Mutex
	good, revoked, unsure []string
}

// newWorld starts p, makes an account and an application, and issues and revokes some tokens.
func newWorld(p *program) *world {
	p.Helper()
	jar, err := cookiejar.New(nil)
	must(p, err)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	w := &world{program: p, http: &http.Client{Jar: jar, Transport: transport, Timeout: patience}}
	p.Cleanup(transport.CloseIdleConnections)
	p.start()
	w.deed(p.setupURL, url.Values{"name": {"Ana Ruiz"}, "email": {email}, "password": {password}, "team": {"Northwind"}})
	w.app = w.deed(applications, url.Values{"name": {"Trading bot"}, "lifespan": {"172800"}}).path
	_, after, _ := strings.Cut(w.get(w.app).body, `data-copy="`)
	id, _, _ := strings.Cut(after, `"`)
	w.credentials = url.Values{"client_id": {id}, "client_secret": {w.reveal(w.app + "/secret/reveal")}}
	w.issues(20)
	for range 5 {
		w.revokes()
	}
	return w
}

// answer is what came back in the end, after all that it was led to.
type answer struct {
	status             int
	method, path, body string
	header             http.Header
}

func (w *world) send(method, target, body string, header http.Header) (answer, error) {
	if strings.HasPrefix(target, "/") {
		target = w.base + target
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
	res, err := w.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Request.Method, res.Request.URL.Path, string(content), res.Header}, err
}

func (w *world) do(method, target, body string, header http.Header) answer {
	w.Helper()
	got, err := w.send(method, target, body, header)
	if err != nil {
		w.Errorf("%s %s: %v", method, target, err)
	}
	return got
}

func (w *world) get(target string) answer {
	w.Helper()
	return w.do(http.MethodGet, target, "", nil)
}

func (w *world) post(target string, form url.Values) answer {
	w.Helper()
	return w.do(http.MethodPost, target, form.Encode(), nil)
}

// deed posts a form and wants it to end on a page.
func (w *world) deed(target string, form url.Values) answer {
	w.Helper()
	got := w.post(target, form)
	if got.status != http.StatusOK || got.method != http.MethodGet {
		w.Fatalf("POST %s: %d on %s %.300s", target, got.status, got.path, got.body)
	}
	return got
}

func (w *world) reveal(target string) string {
	w.Helper()
	got := w.do(http.MethodPost, target, "", http.Header{"Accept": {"application/json"}})
	var answer struct{ Value string }
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || answer.Value == "" {
		w.Fatalf("revealing %s: %d %.200s", target, got.status, got.body)
	}
	return answer.Value
}

func (w *world) with(more url.Values) string {
	form := url.Values{}
	for _, values := range []url.Values{w.credentials, more} {
		for name, value := range values {
			form[name] = value
		}
	}
	return form.Encode()
}

// issue asks for a token, and remembers one that was answered.
func (w *world) issue() (answer, error) {
	got, err := w.send(http.MethodPost, "/oauth2/token", w.with(url.Values{"grant_type": {"client_credentials"}}), nil)
	if err != nil || got.status != http.StatusOK {
		return got, err
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	err = json.Unmarshal([]byte(got.body), &answer)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.good = append(w.good, answer.Token)
	return got, err
}

func (w *world) issues(n int) {
	w.Helper()
	for range n {
		if got, err := w.issue(); err != nil || got.status != http.StatusOK {
			w.Fatalf("no token: %d %s %v\n%s", got.status, got.body, err, tail(w.stderr.String()))
		}
	}
}

// revokes revokes the oldest token that is good.
func (w *world) revokes() answer {
	w.Helper()
	w.mu.Lock()
	token := w.good[0]
	w.good = slices.Delete(w.good, 0, 1)
	w.mu.Unlock()
	got := w.do(http.MethodPost, "/oauth2/revoke", w.with(url.Values{"token": {token}}), nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	if got.status == http.StatusOK {
		w.revoked = append(w.revoked, token)
	} else {
		w.unsure = append(w.unsure, token)
	}
	return got
}

func (w *world) verify(token string) (answer, error) {
	return w.send(http.MethodGet, "/oauth2/verify", "", http.Header{"Authorization": {"Bearer " + token}})
}

// holds wants tokens that were answered to be good, and revoked ones refused: all of them, or
// some hundreds of thousands. Where the fault may keep the program from knowing, 503 will do.
func (w *world) holds(when string, mayBeAway bool) {
	w.Helper()
	for want, tokens := range map[int][]string{http.StatusOK: w.good, http.StatusUnauthorized: w.revoked} {
		for i := 0; i < len(tokens); i += 1 + len(tokens)/500 {
			got, err := w.verify(tokens[i])
			if err != nil || got.status != want && (!mayBeAway || got.status != http.StatusServiceUnavailable) {
				w.Fatalf("%s: verify answers %d %s %v, want %d\n%s", when, got.status, got.body, err, want, tail(w.stderr.String()))
			}
		}
	}
}

// wantAway wants 503: JSON from the API, a page from the dashboard.
func (w *world) wantAway(what string, got answer) {
	w.Helper()
	page := strings.HasPrefix(got.path, "/user") || got.path == "/login"
	kind, text := "application/json", `"error":"temporarily_unavailable"`
	if page {
		kind, text = "text/html", "</html>"
	}
	if got.status != http.StatusServiceUnavailable || !strings.HasPrefix(got.header.Get("Content-Type"), kind) || !strings.Contains(got.body, text) {
		w.Errorf("%s: %d %q %.400s\n%s", what, got.status, got.header, got.body, tail(w.stderr.String()))
	}
	if !page && got.header.Get("Retry-After") == "" {
		w.Errorf("%s: no Retry-After", what)
	}
}

// goesOn wants everything to work as if nothing had been, once it does at all.
func (w *world) goesOn(when string) {
	w.Helper()
	eventually(w, func() string {
		if got, err := w.issue(); err != nil || got.status != http.StatusOK {
			return when + ": no token: " + got.body
		}
		return ""
	})
	w.issues(10)
	if got := w.revokes(); got.status != http.StatusOK {
		w.Errorf("%s: revoking answers %d", when, got.status)
	}
	w.deed(applications, url.Values{"name": {fmt.Sprint("App ", len(w.good))}, "lifespan": {"3600"}})
	w.holds(when, false)
	eventually(w, func() string {
		if got := w.get(w.aside + "/readyz"); got.status != http.StatusOK {
			return when + ": not ready: " + got.body
		}
		return ""
	})
}

// metric reads one value, as text.
func (w *world) metric(name string) string {
	w.Helper()
	for line := range strings.Lines(w.get(w.aside + "/metrics").body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// quiet wants few warnings since an offset of the log, and no secret anywhere in it.
func (w *world) quiet(from, most int) {
	w.Helper()
	if lines := w.warnings(from); len(lines) > most {
		w.Errorf("%d warnings, want %d at most:\n%s", len(lines), most, strings.Join(lines, ""))
	}
	log := w.stderr.String()
	for _, secret := range slices.Concat(w.good, w.revoked, w.unsure, w.credentials["client_secret"], []string{password}) {
		if strings.Contains(log, secret) {
			w.Errorf("the log holds a secret")
		}
	}
}

// underFault has a fault last for a while, in which nothing may be answered wrong.
func (w *world) underFault(d time.Duration, do func()) {
	for end := time.Now().Add(d); time.Now().Before(end) && !w.Failed(); {
		do()
	}
}
