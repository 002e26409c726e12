package handlers_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
)

const warningsPage = "/user/warnings"

func TestWebhookPage(t *testing.T) {
	s, b, ana := owner(t)
	b.get(warningsPage).expect(t, http.StatusOK, "Your team has no webhook.", "Set up webhook", "This Latchkey sends no mail.")
	for address, want := range map[string]string{
		"":                          "Enter the address that events are sent to.",
		"http://hooks.example.com/": "The address must begin with https://.",
		"https://127.0.0.1/":        "This address is not public. Whoever runs Latchkey can allow private ones.",
		"https://a:b@example.com/":  "Leave out the name and password: deliveries are signed instead.",
	} {
		got := b.post(warningsPage+"/webhook", "url", address)
		got.expect(t, http.StatusUnprocessableEntity, "Set up webhook")
		if value, problem := got.field("url"); value != address || problem != want {
			t.Errorf("%q: kept %q, said %q", address, value, problem)
		}
	}
	const address = "https://hooks.example.com/services/very-secret-path?x=\"><b>"
	if got := b.post(warningsPage+"/webhook", "url", address); got.to() != warningsPage {
		t.Fatalf("%s to %q %s", got.Status, got.to(), got.text())
	}
	shown := b.get(warningsPage)
	shown.expect(t, http.StatusOK, "The webhook was set up.", address, "Send test event", "Nothing has been sent yet.")
	if strings.Contains(shown.body, "whsec_"+"A") || strings.Contains(shown.body, "<b>") {
		t.Error("the page holds what it should not")
	}
	b.get(warningsPage+"/webhook").expect(t, http.StatusOK, "Edit webhook")
	b.post(warningsPage+"/webhook", "url", "https://hooks.example.com/services/very-secret-path").expect(t, http.StatusSeeOther)
	b.get(warningsPage).expect(t, http.StatusOK, "The address of the webhook was saved.")

	b.post(warningsPage+"/webhook/test").expect(t, http.StatusSeeOther)
	b.get(warningsPage).expect(t, http.StatusOK, "A test event is on its way.", "Waiting", "None yet", "0 of 7")
	due, err := s.db.DueDeliveries(t.Context(), 8)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	claimed, _, err := s.db.ClaimDelivery(t.Context(), due[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.FinishDelivery(t.Context(), claimed, models.DeliveryAnswer{Status: 500, Problem: "It answered 500 Internal Server Error.", Took: 1500 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	b.get(warningsPage).expect(t, http.StatusOK, "It answered 500 Internal Server Error.", "after 1.5 s", "1 of 7", "next try in 1 minute")

	// A developer sees where it leads, not how; a viewer no secret.
	dev := s.signedIn(t, s.member(t, "northwind", "dev", models.RoleDeveloper))
	vera := s.signedIn(t, s.member(t, "northwind", "vera", models.RoleViewer))
	for name, other := range map[string]*browser{"developer": dev, "viewer": vera} {
		got := other.get(warningsPage)
		got.expect(t, http.StatusOK, "https://hooks.example.com/…", "It answered 500")
		if strings.Contains(got.body, "secret-path") || strings.Contains(got.body, "/webhook/test") || strings.Contains(got.body, "/webhook/remove") {
			t.Errorf("a %s sees too much", name)
		}
		for _, path := range []string{"/webhook", "/webhook/test", "/webhook/remove", "/webhook/secret"} {
			other.post(warningsPage+path, "url", "https://evil.example/").expect(t, http.StatusForbidden)
		}
	}
	dev.post(warningsPage+"/webhook/secret/reveal").expect(t, http.StatusOK, "whsec_", "Hide signing secret")
	vera.post(warningsPage+"/webhook/secret/reveal").expect(t, http.StatusForbidden)

	first := b.do(http.MethodPost, warningsPage+"/webhook/secret/reveal", values(), http.Header{"Accept": {"application/json"}})
	once, _ := b.get(warningsPage + "/webhook/secret").field("once")
	for range 2 {
		b.post(warningsPage+"/webhook/secret", "once", once).expect(t, http.StatusSeeOther)
	}
	second := b.do(http.MethodPost, warningsPage+"/webhook/secret/reveal", values(), http.Header{"Accept": {"application/json"}})
	if secret := regexp.MustCompile(`^{"value":"whsec_[A-Za-z0-9+/]{43}="}\n$`); !secret.MatchString(first.body) || !secret.MatchString(second.body) || first.body == second.body {
		t.Errorf("%q then %q", first.body, second.body)
	}
	if n := count(t, s, "SELECT COUNT(*) FROM audit_events WHERE action = ?", models.AuditWebhookSecretRotated); n != 1 {
		t.Errorf("rotated %d times", n)
	}
	b.get(warningsPage+"/webhook/remove").expect(t, http.StatusOK, "Remove the webhook?")
	b.post(warningsPage+"/webhook/remove").expect(t, http.StatusSeeOther)
	b.get(warningsPage).expect(t, http.StatusOK, "The webhook was removed.", "Your team has no webhook.")
	for _, path := range []string{"/webhook/test", "/webhook/secret", "/webhook/secret/reveal"} {
		b.post(warningsPage+path).expect(t, http.StatusNotFound)
	}
	if events := s.db.Events(t, ana.TeamID); slices.ContainsFunc(events, func(e models.AuditEvent) bool { return strings.Contains(e.Target+e.Detail, "secret-path") }) {
		t.Error("an event holds the path of the address")
	}
}

func TestTestEventsAreLimited(t *testing.T) { // R2
	s, b, _ := owner(t)
	b.post(warningsPage+"/webhook", "url", "https://example.com/").expect(t, http.StatusSeeOther)
	var last answer
	for range 21 {
		last = b.post(warningsPage + "/webhook/test")
	}
	last.expect(t, http.StatusTooManyRequests)
	if n := count(t, s, "SELECT COUNT(*) FROM webhook_deliveries"); n != 20 {
		t.Errorf("%d test events", n)
	}
}

var feedAddress = regexp.MustCompile(`http://127\.0\.0\.1:8080(/calendar/[A-Za-z0-9_-]{22}\.ics)`)

// feed makes a feed and returns its path.
func (b *browser) feed(t *testing.T) string {
	t.Helper()
	got := b.post(warningsPage + "/calendar")
	got.expect(t, http.StatusOK, "it is shown only this once")
	found := feedAddress.FindStringSubmatch(got.body)
	if found == nil || got.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("no address in\n%s", got.text())
	}
	return found[1]
}

func TestCalendarFeed(t *testing.T) {
	var logged bytes.Buffer
	s, b, ana := owner(t, func(d *handlers.Deps) { d.Log = slog.New(slog.NewTextHandler(&logged, nil)) })
	app, token := s.living(t, ana, "Bot, the first", 30*oneDay)
	vera := s.member(t, "northwind", "vera", models.RoleViewer)
	path := s.signedIn(t, vera).feed(t)
	anyone := s.browser(t)
	got := anyone.get(path)
	got.expect(t, http.StatusOK)
	feed, err := ics.ParseCalendar(strings.NewReader(got.body))
	if err != nil || len(feed.Events()) != 1 {
		t.Fatalf("%v\n%s", err, got.body)
	}
	event := feed.Events()[0]
	if start, err := event.GetStartAt(); err != nil || !start.Equal(token.ExpiresAt.Std()) || event.Id() != "token-"+token.ID+"@latchkey" ||
		!strings.Contains(event.GetProperty(ics.ComponentPropertySummary).Value, "Backfill of Bot, the first") || !strings.HasSuffix(event.GetProperty(ics.ComponentPropertyUrl).Value, apps+"/"+app.ID) {
		t.Errorf("%v\n%s", err, got.body)
	}
	for header, want := range map[string]string{"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff", "Set-Cookie": ""} {
		if got.Header.Get(header) != want {
			t.Errorf("%s: %q", header, got.Header.Get(header))
		}
	}
	same := anyone.do(http.MethodGet, path, nil, http.Header{"If-None-Match": {got.Header.Get("ETag")}})
	if same.StatusCode != http.StatusNotModified || same.body != "" {
		t.Errorf("asked again: %s", same.Status)
	}
	if head := anyone.do(http.MethodHead, path, nil, nil); head.StatusCode != http.StatusOK || head.Header.Get("ETag") != got.Header.Get("ETag") {
		t.Errorf("HEAD: %s", head.Status)
	}
	b.post(apps+"/"+app.ID+"/tokens/"+token.ID+"/revoke").expect(t, http.StatusSeeOther)
	if again := anyone.do(http.MethodGet, path, nil, http.Header{"If-None-Match": {got.Header.Get("ETag")}}); again.StatusCode != http.StatusOK || strings.Contains(again.body, "VEVENT") {
		t.Errorf("after Revoke: %s %s", again.Status, again.body)
	}
	// A2: the code is in no log line, and at rest only as its hash.
	code := strings.TrimSuffix(strings.TrimPrefix(path, "/calendar/"), ".ics")
	if strings.Contains(logged.String(), code) || !strings.Contains(logged.String(), "route=/calendar/:code") {
		t.Errorf("logged %s", logged.String())
	}
	if n := count(t, s, "SELECT COUNT(*) FROM calendar_feeds WHERE length(code_hash) = 32"); n != 1 {
		t.Errorf("%d hashes", n)
	}
}

// T4: a feed ends at the next request after its owner was removed or disabled, the team
// suspended, or the feed renewed or switched off.
func TestCalendarFeedEnds(t *testing.T) {
	s, b, _ := owner(t)
	jonas := s.member(t, "northwind", "jonas", models.RoleDeveloper)
	dev := s.signedIn(t, jonas)
	anyone := s.browser(t)
	first := dev.feed(t)
	s.db.Wait(time.Minute)
	anyone.get(first).expect(t, http.StatusOK)
	dev.get(warningsPage).expect(t, http.StatusOK, "Renew address", "Last read Just now")
	second := dev.feed(t)
	anyone.get(first).expect(t, http.StatusNotFound)
	anyone.get(second).expect(t, http.StatusOK)
	for _, c := range []struct{ end, begin string }{
		{"UPDATE users SET disabled_at = 1 WHERE id = ?1", "UPDATE users SET disabled_at = 0 WHERE id = ?1"},
		{"UPDATE teams SET suspended_at = 1 WHERE ?1 <> ''", "UPDATE teams SET suspended_at = 0 WHERE ?1 <> ''"},
		{"DELETE FROM members WHERE user_id = ?1", ""},
	} {
		for i, statement := range []string{c.end, c.begin} {
			if statement == "" {
				continue
			}
			if _, err := s.db.Raw(t).ExecContext(t.Context(), statement, jonas.UserID); err != nil {
				t.Fatal(err)
			}
			if got := anyone.get(second); (got.StatusCode == http.StatusOK) != (i == 1) {
				t.Errorf("%s: %s", statement, got.Status)
			}
		}
	}
	own := b.feed(t)
	anyone.get(own).expect(t, http.StatusOK)
	b.post(warningsPage+"/calendar/remove").expect(t, http.StatusSeeOther)
	b.get(warningsPage).expect(t, http.StatusOK, "Your calendar feed was switched off.", "You have no feed.")
	anyone.get(own).expect(t, http.StatusNotFound)
	for _, wrong := range []string{"/calendar/.ics", "/calendar/x", "/calendar/x.ics", strings.TrimSuffix(own, ".ics"), "/calendar/" + url.PathEscape("' OR 1=1 --") + ".ics", "/calendar/" + strings.Repeat("x", 3000) + ".ics"} {
		anyone.get(wrong).expect(t, http.StatusNotFound)
	}
}

func TestCalendarFeedsAreLimited(t *testing.T) { // R3
	_, b, _ := owner(t)
	path := b.feed(t)
	anyone := b.site.browser(t)
	for range 29 {
		anyone.get("/calendar/wrong.ics").expect(t, http.StatusNotFound)
	}
	anyone.get(path).expect(t, http.StatusOK)
	anyone.get("/calendar/wrong.ics").expect(t, http.StatusNotFound)
	anyone.get("/calendar/wrong.ics").expect(t, http.StatusTooManyRequests)
	elsewhere := http.Header{"X-Forwarded-For": {"198.51.100.9"}}
	for i := range 61 {
		got := anyone.do(http.MethodGet, path, nil, elsewhere)
		if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[i < 59]; got.StatusCode != want {
			t.Fatalf("read %d: %s", i, got.Status)
		}
	}
}

// Making a feed waits for a fresh proof and goes on then.
func TestCalendarFeedWantsAFreshProof(t *testing.T) { // S7
	s, b, _ := owner(t)
	s.db.Wait(16 * time.Minute)
	at, err := url.Parse(b.post(warningsPage + "/calendar").to())
	if err != nil || at.Path != "/confirm" || at.Query().Get("next") != warningsPage {
		t.Fatal(at, err)
	}
	got := b.post("/confirm", "password", password, "next", warningsPage, "deed", at.Query().Get("deed"))
	got.expect(t, http.StatusOK, "it is shown only this once")
	if !feedAddress.MatchString(got.body) {
		t.Error("no address")
	}
}
