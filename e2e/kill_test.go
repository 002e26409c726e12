package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// answers is what programs were told before the kill.
type answers struct {
	mu sync.Mutex
	// good are the tokens that nobody asked to revoke, gone those of which the
	// revocation was answered. What was asked and not answered is in neither.
	good, gone []string
	problems   []string
	// enough is closed when so many answers have come.
	left   int
	enough chan struct{}
}

func (a *answers) add(good, gone, problem string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case problem != "":
		a.problems = append(a.problems, problem)
	case good != "":
		a.good = append(a.good, good)
	default:
		a.gone = append(a.gone, gone)
	}
	if a.left--; a.left == 0 {
		close(a.enough)
	}
}

// load is a program that gets tokens and revokes every third of them, until the
// server is gone.
func (a *answers) load(ctx context.Context, base string, credentials url.Values) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	send := func(path string, more url.Values) (body string, answered bool) {
		form := credentials.Encode() + "&" + more.Encode()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, strings.NewReader(form))
		if err != nil {
			return "", false
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := transport.RoundTrip(r)
		if err != nil {
			return "", false
		}
		defer res.Body.Close()
		content, err := io.ReadAll(res.Body)
		if err == nil && res.StatusCode != http.StatusOK {
			a.add("", "", path+": "+res.Status+" "+string(content))
		}
		return string(content), err == nil && res.StatusCode == http.StatusOK
	}
	for n := 0; ; n++ {
		body, answered := send("/oauth2/token", url.Values{"grant_type": {"client_credentials"}})
		var token struct {
			Value string `json:"access_token"`
		}
		if !answered || json.Unmarshal([]byte(body), &token) != nil {
			return
		}
		if n%3 < 2 {
			a.add(token.Value, "", "")
			continue
		}
		if _, answered := send("/oauth2/revoke", url.Values{"token": {token.Value}}); !answered {
			return
		}
		a.add("", token.Value, "")
	}
}

// TestKillLosesNothing kills the program under load, twenty times, each time at
// another moment: after so many answers, or right after the answer to somebody on
// a page. No token that was answered is lost, no revocation that was answered is
// undone (promise 5, O10).
func TestKillLosesNothing(t *testing.T) {
	s, ana := owner(t)
	app, other := ana.create("Trading bot"), ana.create("Other bot")
	credentials := url.Values{"client_id": {ana.clientIDOf(app)}, "client_secret": {ana.reveal(app + "/secret")}}
	by := &person{client: ana, app: other, clientID: ana.clientIDOf(other), secret: ana.reveal(other + "/secret")}
	var all answers
	for round := range 20 {
		told := untilKilled(t, s, round, credentials, by)
		s = startIn(t, s.dir)
		ana.base = s.base
		told.check(newClient(t, s.base))
		by.answers.check(newClient(t, s.base))
		all.good, all.gone = append(all.good, told.good...), append(all.gone, told.gone...)
	}
	if len(all.good) < 200 || len(all.gone) < 100 {
		t.Errorf("only %d tokens and %d revocations were answered", len(all.good), len(all.gone))
	}
	all.check(newClient(t, s.base))
	if got := ana.get(app); got.status != http.StatusOK || got.path != app {
		t.Errorf("the session did not outlive the kills: %s", got.path)
	}
	s.Stop()
	withDatabase(t, s.dir, func(db *sql.DB) {
		var verdict string
		if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("the database is %q, %v", verdict, err)
		}
	})
}

func (a *answers) check(c *client) {
	c.t.Helper()
	for _, problem := range a.problems {
		c.t.Error(problem)
	}
	for _, token := range a.good {
		c.wantGood(token)
	}
	for _, token := range a.gone {
		c.wantRefused(token)
	}
}

// untilKilled runs one round and returns what programs were answered in it.
func untilKilled(t *testing.T, s *server, round int, credentials url.Values, by *person) *answers {
	t.Helper()
	a := &answers{left: 5 + round*37%60, enough: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var programs sync.WaitGroup
	for range 4 {
		programs.Go(func() { a.load(ctx, s.base, credentials) })
	}
	ended := make(chan struct{})
	go func() { programs.Wait(); close(ended) }()
	select {
	case <-a.enough:
	case <-ended: // a.problems says why
	}
	switch round % 4 {
	case 1:
		by.revokeOne()
	case 3:
		by.revokeAll()
	}
	s.Kill()
	cancel()
	<-ended
	return a
}

// person revokes the tokens of an application of their own on its page.
type person struct {
	*client
	app, clientID, secret string
	answers               answers
}

// revokeOne leaves one more good token and one more revoked one.
func (p *person) revokeOne() {
	p.t.Helper()
	stays, goes := p.reveal(p.generate(p.app, "stays")), p.generate(p.app, "goes")
	value := p.reveal(goes)
	p.deedAnswered(goes + "/revoke")
	p.answers.good, p.answers.gone = append(p.answers.good, stays), append(p.answers.gone, value)
}

// revokeAll leaves no good token.
func (p *person) revokeAll() {
	p.t.Helper()
	token, problem := p.newToken(p.clientID, p.secret)
	if problem != "" {
		p.t.Error(problem)
	}
	p.deedAnswered(p.app + "/revoke")
	p.answers.good, p.answers.gone = nil, append(append(p.answers.gone, p.answers.good...), token)
}

// deedAnswered posts and returns with the first answer, which leads elsewhere.
func (p *person) deedAnswered(target string) {
	p.t.Helper()
	staying := *p.http
	staying.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := staying.Do(p.request(http.MethodPost, target, ""))
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		p.t.Errorf("POST %s: %s", target, res.Status)
	}
}
