package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	warningsPage = "/user/warnings"
	hygienePage  = applications + "/hygiene"
	oneDay       = 24 * time.Hour
)

// ending makes a token that lived for 30 days end so soon, and returns its path.
func (c *client) ending(app, name string, left time.Duration) string {
	c.t.Helper()
	token := c.generate(app, name)
	ends := time.Now().Add(left)
	change(c.t, c.dir, "UPDATE tokens SET created_at = ?, expires_at = ? WHERE id = ?", ends.Add(-30*oneDay).UnixMilli(), ends.UnixMilli(), idOf(token))
	return token
}

// ear is a receiver of webhooks.
type ear struct {
	*httptest.Server
	mu  sync.Mutex
	got []delivery
}

type delivery struct {
	header http.Header
	body   []byte
}

func newEar(t *testing.T) *ear {
	t.Helper()
	e := &ear{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.got = append(e.got, delivery{r.Header.Clone(), body})
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *ear) all() []delivery {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.got
}

// hears waits until so many deliveries came, each signed with the secret.
func (e *ear) hears(t *testing.T, secret string, n int) []delivery {
	t.Helper()
	eventually(t, func() string {
		if len(e.all()) < n {
			return "the webhook was not called"
		}
		return ""
	})
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range e.all() {
		if err := hook.Verify(d.body, d.header); err != nil {
			t.Error(err)
		}
	}
	return e.all()
}

// TestWarnings follows a token to its end: webhook, lists, calendar, and a new one. S23
func TestWarnings(t *testing.T) {
	t.Parallel()
	s, ana := owner(t, "--webhook-private", "true")
	receiver := newEar(t)
	app := ana.create("Trading bot")
	ana.deed(app, url.Values{"name": {"Trading bot"}, "lifespan": {"2592000"}})
	ana.ending(app, "Backfill", 5*oneDay)
	p := openTab(t, s.base)
	p.become(ana)

	t.Log("set the webhook up and try it")
	p.open(warningsPage)
	d := p.whole().dialog("link", "Set up webhook", "Set up webhook")
	d.fill("Address", receiver.URL+"/hook")
	d.follow("button", "Set up webhook")
	p.announces("The webhook was set up.")
	p.whole().follow("button", "Send test event")
	p.announces("A test event is on its way.")
	secret := p.whole().copied("Copy signing secret", "Signing secret copied")
	p.hides(secret)
	receiver.hears(t, secret, 1)
	eventually(t, func() string {
		p.open(warningsPage)
		if shown, err := p.shown(); err != nil || !strings.Contains(shown, "It answered 202.") {
			return "the delivery is not shown as delivered: " + shown
		}
		return ""
	})

	t.Log("start anew: the token is told of, once")
	s.Stop()
	for range 2 {
		s = startIn(t, s.dir, "--webhook-private", "true")
		got := receiver.hears(t, secret, 2)
		if body := string(got[1].body); len(got) != 2 || !strings.Contains(body, `"type":"token.ending"`) || !strings.Contains(body, `"name":"Backfill"`) || !strings.Contains(body, app) {
			t.Errorf("%d deliveries, the second %s", len(got), body)
		}
		eventually(t, func() string {
			if strings.Contains(s.Stderr.String(), "delivery tried") || number(t, s.dir, "SELECT COUNT(*) FROM webhook_deliveries WHERE next_at <> 0") == 0 {
				return ""
			}
			return "a delivery waits"
		})
		if log := s.Stderr.String(); strings.Contains(log, "/hook") || strings.Contains(log, "whsec_") {
			t.Errorf("logged %s", log)
		}
		if s.Stop(); number(t, s.dir, "SELECT COUNT(*) FROM warnings") != 1 {
			t.Error("not noted once")
		}
	}
	s = startIn(t, s.dir)
	ana.base, p.base = s.base, s.base
	p.become(signIn(t, s, ownerEmail))

	t.Log("find it, and make a new one")
	p.open(applications)
	p.whole().follow("link", "Ending soon 1")
	p.sees("1 ends soon")
	p.whole().follow("link", "Trading bot")
	p.whole().follow("link", "Ending soon: 1")
	p.sees("Ends in 5 days")
	name := eval[string](p, `document.querySelector("a[href$='/regenerate'] .sr-only").textContent.trim()`)
	d = p.whole().dialog("link", "Regenerate "+name, "Regenerate this token?")
	d.follow("button", "Regenerate token")
	p.announces("Token created")
	p.at(app, "Trading bot")
	if n := number(t, s.dir, "SELECT COUNT(*) FROM tokens WHERE name = 'Backfill' AND revoked_at = 0"); n != 2 {
		t.Errorf("%d tokens", n)
	}
	calendarInBrowser(p, s)
}

// calendarInBrowser makes a feed, reads it as a calendar program does, and renews it.
func calendarInBrowser(p *tab, s *server) {
	t := p.t
	t.Log("subscribe to the calendar")
	p.open(warningsPage)
	p.whole().follow("button", "Make a feed")
	address := p.whole().copied("Copy calendar address", "Calendar address copied")
	read := func(want int) string {
		t.Helper()
		got := newClient(t, s.base).get(strings.TrimPrefix(address, s.base))
		if got.status != want {
			t.Errorf("the feed answers %d, want %d", got.status, want)
		}
		return got.body
	}
	feed, err := ics.ParseCalendar(strings.NewReader(read(http.StatusOK)))
	if err != nil || len(feed.Events()) != 2 {
		t.Fatalf("%v", err)
	}
	p.open(warningsPage)
	p.hides(address)
	p.whole().follow("button", "Switch off feed")
	p.announces("Your calendar feed was switched off.")
	read(http.StatusNotFound)
	if strings.Contains(s.Stderr.String(), strings.TrimPrefix(address, s.base+"/calendar/")) {
		t.Error("the code is logged")
	}
}

// TestHygieneInBrowser mends what the list finds, without the script too.
func TestHygieneInBrowser(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	for _, name := range []string{"Unused", "Standby", "Old secret"} {
		ana.create(name)
	}
	old := time.Now().Add(-400 * oneDay).UnixMilli()
	change(t, s.dir, "UPDATE applications SET created_at = ?", old)
	change(t, s.dir, "UPDATE applications SET last_used_at = ? WHERE name = 'Old secret'", time.Now().UnixMilli())
	change(t, s.dir, "UPDATE client_secrets SET created_at = ? WHERE application_id IN (SELECT id FROM applications WHERE name = 'Old secret')", old)
	p := openTab(t, s.base)
	p.become(ana)
	p.open(hygienePage)
	p.whole().follow("button", "Keep Standby")
	p.announces("Standby stays as it is.")
	d := p.whole().dialog("link", "Switch off Unused", "Switch off Unused?")
	d.follow("button", "Switch off")
	p.at(hygienePage, "Hygiene")
	d = p.whole().dialog("link", "Rotate secret of Old secret", "Rotate the client secret?")
	d.follow("button", "Rotate secret")
	p.at(hygienePage, "Hygiene")
	p.sees("Nothing to look at")
}

// warningsPast gives the world something that ends, findings, and a webhook with deliveries.
func (w *world) warningsPast(t testing.TB, ana *client) {
	t.Helper()
	ana.ending(w.bot, "Ends first", 5*oneDay)
	ana.deed(warningsPage+"/webhook", url.Values{"url": {"https://hooks.northwind.example/services/T024/B7/" + strings.Repeat("x", 80)}})
	old, now := time.Now().Add(-400*oneDay).UnixMilli(), time.Now().UnixMilli()
	change(t, w.s.dir, "UPDATE client_secrets SET created_at = ? WHERE application_id = ? AND expires_at = 0", old, idOf(w.long))
	change(t, w.s.dir, "UPDATE applications SET created_at = ? WHERE id = ?", old, idOf(w.long))
	change(t, w.s.dir, "UPDATE applications SET last_used_at = ? WHERE name LIKE '%svg%'", old)
	change(t, w.s.dir, "UPDATE applications SET created_by = 'gone' WHERE name = 'אב'")
	change(t, w.s.dir, `INSERT INTO webhook_deliveries (id, team_id, event, body, created_at, next_at, attempts, delivered_at, last_at, took_ms, status, problem)
		SELECT '01a215f7-1f5d-735f-8ac1-e070f8269001', team_id, 'secret.ending', '{}', ?1 - 90000, 0, 1, ?1, ?1, 41, 202, '' FROM webhooks UNION ALL
		SELECT '01a215f7-1f5d-735f-8ac1-e070f8269002', team_id, 'token.ending', '{}', ?1 - 80000, ?1 + 86400000, 6, 0, ?1, 10000, 0, 'No answer came in time.' FROM webhooks UNION ALL
		SELECT '01a215f7-1f5d-735f-8ac1-e070f8269003', team_id, 'test', '{}', ?1 - 70000, 0, 7, 0, ?1, 120, 500, 'It answered 500 Internal Server Error.' FROM webhooks`, now)
}

func (w *world) ofWarnings() []view {
	views := []view{
		{name: "list ending", show: opened(applications + "?ending=1")},
		{name: "application ending", show: opened(w.bot + "?ending=1")},
		{name: "tokens ending", show: opened(tokensPage + "?ending=1&application=" + idOf(w.bot))},
		{name: "regenerate", show: opened(w.token + "/regenerate")},
		{name: "hygiene", show: opened(hygienePage)},
		{name: "warnings", show: opened(warningsPage)},
		{name: "warnings calendar", show: func(p *tab) {
			p.open(warningsPage)
			button := eval[string](p, `document.querySelector("form[action='`+warningsPage+`/calendar'] button").textContent.trim()`)
			p.whole().follow("button", button)
			p.announces("Calendar address")
		}},
		{name: "warnings secret shown", show: func(p *tab) {
			p.open(warningsPage)
			p.postForm("button", "Show signing secret")
			p.whole().find("link", "Hide signing secret")
		}},
		{name: "webhook", show: opened(warningsPage + "/webhook")},
		{name: "webhook error", status: http.StatusUnprocessableEntity, show: func(p *tab) {
			p.open(warningsPage + "/webhook")
			p.whole().fill("Address", "https://10.0.0.1/")
			p.whole().follow("button", "Save changes")
			p.sees("This address is not public.")
		}},
		{name: "webhook remove", show: opened(warningsPage + "/webhook/remove")},
		{name: "webhook rotate", show: opened(warningsPage + "/webhook/secret")},
	}
	for i := range views {
		views[i].email = ownerEmail
	}
	return append(views,
		view{name: "hygiene viewer", email: viewerEmail, show: opened(hygienePage)},
		view{name: "warnings viewer", email: viewerEmail, show: opened(warningsPage)},
		view{name: "hygiene empty", email: loneEmail, show: opened(hygienePage)},
		view{name: "warnings nothing", email: loneEmail, show: opened(warningsPage)},
	)
}
