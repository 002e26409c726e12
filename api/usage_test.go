package api_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/api"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

// server is the endpoints over real HTTP with a real database.
type usageServer struct {
	*httptest.Server
	db     *storetest.DB
	issuer *tokens.Issuer
}

func newUsageServer(t *testing.T) *usageServer {
	t.Helper()
	s := &usageServer{db: storetest.New(t)}
	keys, err := secrets.CreateKeys(filepath.Join(t.TempDir(), "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	s.issuer = tokens.NewIssuer(t.Context(), s.db, keys, "lk_at_", 365*86400, s.db.Now)
	cache := tokens.NewCache()
	s.db.Subscribe(cache.Forget)
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if err := api.WriteError(c, err); err != nil {
			t.Error(err)
		}
	}
	lastUsed := tokens.NewLastUsed(t.Context(), s.db.Store, slog.New(slog.DiscardHandler), time.Hour)
	api.New(api.Deps{
		Store: s.db.Store, Verifier: tokens.NewVerifier(s.db.Store, cache, lastUsed, s.db.Now), Meter: usage.New(t.Context(), s.db.Store, slog.New(slog.DiscardHandler), s.db.Now, nil),
		Realm: "latchkey", Now: func() time.Time { return s.db.Now().Std() },
	}).Routes(e)
	s.Server = httptest.NewServer(e)
	t.Cleanup(s.Close)
	return s
}

// token makes an application of the actor's team and returns it with the value of a token.
func (s *usageServer) token(t *testing.T, actor models.Actor, name string) (models.Application, string) {
	t.Helper()
	app := s.db.Application(t, actor, name)
	_, value, err := s.issuer.Issue(t.Context(), &app, app.Scopes)
	if err != nil {
		t.Fatal(err)
	}
	return app, value.Reveal()
}

type usageAnswer struct {
	*http.Response
	body string
}

func (s *usageServer) ask(t *testing.T, method, path string, headers ...string) usageAnswer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return usageAnswer{response, string(body)}
}

func (s *usageServer) get(t *testing.T, query, token string) usageAnswer {
	t.Helper()
	return s.ask(t, http.MethodGet, "/api/usage"+query, "Authorization", "Bearer "+token)
}

// at finds what stands at a path such as billing_period.usage.points_usage or by_api.0.api.
func (a usageAnswer) at(t *testing.T, path string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	for part := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			found, ok := v[part]
			if !ok {
				return "absent"
			}
			value = found
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(v) {
				return "absent"
			}
			value = v[i]
		default:
			return "absent"
		}
	}
	return value
}

// used gives the team a past: 3 hours, 2 days and 40 days ago.
func (s *usageServer) used(t *testing.T, app models.Application) {
	t.Helper()
	for _, c := range []struct {
		ago           time.Duration
		route, api    string
		status        int
		calls, points int64
	}{{3 * time.Hour, "/v1", "v1", 200, 10, 10}, {3 * time.Hour, "/v1", "v1", 429, 2, 0}, {48 * time.Hour, "/v2", "v2", 200, 4, 20}, {40 * 24 * time.Hour, "/v2", "v2", 502, 1, 5}} {
		key := models.UsageKey{TeamID: app.TeamID, Hour: s.db.Now().Add(-c.ago), ApplicationID: app.ID, TokenID: "t1", Route: c.route, API: c.api, Status: c.status}
		s.db.Count(t, key, models.UsageCount{Requests: c.calls, Points: c.points})
	}
}

func onPlan(app models.Application, left, used int64) models.Standing {
	return models.Standing{
		Plan:     models.Plan{Name: "Basic", Points: 100_000, RateLimit: 600, Streams: 10, Members: 5},
		TeamPlan: models.TeamPlan{TeamID: app.TeamID, PeriodStartedAt: storetest.Start.Add(-22 * 24 * time.Hour), PeriodEndsAt: storetest.Start.Add(8 * 24 * time.Hour), Granted: 100_000},
		Balance:  left, Used: used,
	}
}

// The contract's section 7.
func TestUsageOfAPlan(t *testing.T) {
	s := newUsageServer(t)
	ana, eve := s.db.Member(t, "northwind", "ana", models.RoleOwner), s.db.Member(t, "contoso", "eve", models.RoleOwner)
	app, token := s.token(t, ana, "Trading bot")
	foreign, _ := s.token(t, eve, "Foreign")
	s.used(t, app)
	s.used(t, foreign)
	s.db.OnPlan(t, onPlan(app, 62_450, 37_550))
	got := s.get(t, "", token)
	if got.StatusCode != http.StatusOK || got.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
		t.Fatalf("%s %v", got.Status, got.Header)
	}
	for path, want := range map[string]any{
		"account_id": ana.TeamID, "payer_id": ana.TeamID, "status": "active", "points_left": 62450.0,
		"billing_period.started_at": "2026-11-01T16:00:00Z", "billing_period.ended_at": "2026-12-01T16:00:00Z", "billing_period.plan_name": "Basic",
		"billing_period.limits.points_limit": 100000.0, "billing_period.limits.rate_limit": 600.0, "billing_period.limits.streams_limit": 10.0, "billing_period.limits.members_limit": 5.0,
		"billing_period.usage.points_usage": 37550.0, "billing_period.usage.requests_usage": 16.0,
		"by_api.0.api": "v2", "by_api.0.points_usage": 20.0, "by_api.1.requests_usage": 12.0, "by_api.1.errors": 2.0, "by_api.2": "absent",
		"by_application.0.application_id": app.ID, "by_application.0.application": "Trading bot", "by_application.0.points_usage": 30.0, "by_application.0.deleted": false, "by_application.1": "absent",
		"usage": "absent", "range": "absent",
	} {
		if value := got.at(t, path); value != want {
			t.Errorf("%s is %v, want %v", path, value, want)
		}
	}
	if strings.Contains(got.body, foreign.ID) || strings.Contains(got.body, "Foreign") { // D3
		t.Error("another team's application is in the answer")
	}
	if head := s.ask(t, http.MethodHead, "/api/usage", "Authorization", "Bearer "+token); head.StatusCode != http.StatusOK || head.body != "" {
		t.Errorf("HEAD: %s %q", head.Status, head.body)
	}
}

func TestUsageStatuses(t *testing.T) {
	for name, change := range map[string]func(*models.Standing){
		"active":  func(*models.Standing) {},
		"grace":   func(st *models.Standing) { st.Balance, st.Plan.Overage = -7, true },
		"blocked": func(st *models.Standing) { st.Balance = 0 },
		"expired": func(st *models.Standing) { st.EndsAt = storetest.Start.Add(-time.Hour) },
	} {
		s := newUsageServer(t)
		app, token := s.token(t, s.db.Member(t, "northwind", "ana", models.RoleOwner), "Bot")
		st := onPlan(app, 10, 90)
		change(&st)
		s.db.OnPlan(t, st)
		got := s.get(t, "", token)
		left := st.Balance
		if name == "expired" {
			left = 0 // the plan's points lapse with it
		}
		if got.at(t, "status") != name || got.at(t, "points_left") != float64(left) {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}

// A team without a plan is not limited: the period is the calendar month.
func TestUsageWithoutAPlan(t *testing.T) {
	s := newUsageServer(t)
	app, token := s.token(t, s.db.Member(t, "northwind", "ana", models.RoleOwner), "Bot")
	s.used(t, app)
	got := s.get(t, "", token)
	for path, want := range map[string]any{
		"status": "active", "points_left": nil, "billing_period.plan_name": nil, "billing_period.started_at": "2026-11-01T00:00:00Z", "billing_period.ended_at": "2026-12-01T00:00:00Z",
		"billing_period.limits.points_limit": nil, "billing_period.limits.rate_limit": nil, "billing_period.usage.points_usage": 30.0, "billing_period.usage.requests_usage": 16.0,
	} {
		if value := got.at(t, path); value != want {
			t.Errorf("%s is %v, want %v", path, value, want)
		}
	}
	empty := newUsageServer(t)
	_, token = empty.token(t, empty.db.Member(t, "northwind", "ana", models.RoleOwner), "Bot")
	if got := empty.get(t, "?by=day", token); !strings.Contains(got.body, `"by_api":[],"by_application":[]`) || got.at(t, "billing_period.usage.requests_usage") != 0.0 {
		t.Errorf("nothing used: %s", got.body)
	}
}

func TestUsageOfARange(t *testing.T) {
	s := newUsageServer(t)
	app, token := s.token(t, s.db.Member(t, "northwind", "ana", models.RoleOwner), "Bot")
	s.used(t, app)
	for query, want := range map[string]map[string]any{
		"?by=day":                                    {"range.from": "2026-11-01T00:00:00Z", "range.to": "2026-11-23T17:00:00Z", "range.by": "day", "usage.0.from": "2026-11-21T00:00:00Z", "usage.1.from": "2026-11-23T00:00:00Z", "usage.1.requests_usage": 12.0, "usage.1.errors": 2.0, "usage.2": "absent"},
		"?from=2026-10-01":                           {"range.by": "day", "usage.0.from": "2026-10-14T00:00:00Z", "usage.2.points_usage": 10.0},
		"?from=2026-11-23&by=hour":                   {"usage.0.from": "2026-11-23T13:00:00Z", "usage.0.points_usage": 10.0, "usage.1": "absent"},
		"?from=2026-11-21&to=2026-11-21":             {"range.to": "2026-11-22T00:00:00Z", "usage.0.points_usage": 20.0, "usage.1": "absent"},
		"?from=2026-11-23T15:00:00%2B02:00&by=route": {"range.from": "2026-11-23T13:00:00Z", "usage.0.route": "/v1", "usage.0.requests_usage": 12.0, "usage.1": "absent"},
		"?to=2026-11-22T00:00:00Z&by=application":    {"usage.0.application": "Bot", "usage.0.points_usage": 20.0},
		"?by=token":                                  {"usage.0.token_id": "t1", "usage.0.token": "", "usage.0.application": "Bot", "usage.0.points_usage": 30.0},
		"?from=2026-11-23T14:00:00Z&by=route":        {"range.by": "route", "usage.0": "absent"},
		"?from=2026-11-23T13:59:59Z&to=2026-11-23T14:00:01Z&by=hour": {"range.from": "2026-11-23T13:00:00Z", "range.to": "2026-11-23T15:00:00Z", "usage.0.requests_usage": 12.0},
	} {
		got := s.get(t, query, token)
		if got.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s", query, got.Status, got.body)
			continue
		}
		for path, value := range want {
			if found := got.at(t, path); found != value {
				t.Errorf("%s: %s is %v, want %v", query, path, found, value)
			}
		}
	}
	for query, sentence := range map[string]string{
		"?by=week":                       "by is day, hour, application, token or route.",
		"?by=status":                     "by is day, hour, application, token or route.",
		"?by=day&by=hour":                "Give by once.",
		"?from=yesterday":                "from is a date such as 2026-11-01",
		"?from=2026-13-01":               "from is a date such as 2026-11-01",
		"?from=0001-01-01":               "from is a date such as 2026-11-01",
		"?to=2026-11-31":                 "to is a date such as 2026-11-30",
		"?from=2026-11-20&to=2026-11-19": "from must be before to.",
		"?from=2027-01-01":               "from must be before to.",
		"?from=2026-01-01&by=hour":       "by=hour covers 31 days at most.",
		"?from=2020-01-01":               "800 days apart at most",
		"?to=2907-10-01":                 "800 days apart at most",
		"?from=9999-12-31&to=9999-12-31": "",
	} {
		got := s.get(t, query, token)
		if sentence == "" {
			if got.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", query, got.Status)
			}
			continue
		}
		if text, _ := got.at(t, "error_description").(string); got.StatusCode != http.StatusBadRequest || got.at(t, "error") != "invalid_request" || !strings.Contains(text, sentence) || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s %s", query, got.Status, got.body)
		}
	}
}

func TestUsageWantsAGoodToken(t *testing.T) {
	s := newUsageServer(t)
	ana := s.db.Member(t, "northwind", "ana", models.RoleOwner)
	app, token := s.token(t, ana, "Bot")
	if got := s.get(t, "", token); got.StatusCode != http.StatusOK {
		t.Fatal(got.Status)
	}
	for name, c := range map[string]struct {
		headers   []string
		challenge string
	}{
		"none":      {nil, `Bearer realm="latchkey"`},
		"basic":     {[]string{"Authorization", "Basic eDp5"}, `Bearer realm="latchkey"`},
		"two":       {[]string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}, `Bearer realm="latchkey", error="invalid_token"`},
		"unknown":   {[]string{"Authorization", "Bearer lk_at_unknown"}, `Bearer realm="latchkey", error="invalid_token"`},
		"malformed": {[]string{"Authorization", "Bearer a b"}, `Bearer realm="latchkey", error="invalid_token"`},
	} {
		got := s.ask(t, http.MethodGet, "/api/usage", c.headers...)
		if got.StatusCode != http.StatusUnauthorized || got.body != "Unauthorized" || got.Header.Get("WWW-Authenticate") != c.challenge || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s %q %v", name, got.Status, got.body, got.Header)
		}
	}
	// A revoked one is refused by the very next request.
	if _, err := s.db.RevokeTokens(t.Context(), ana, app.ID); err != nil {
		t.Fatal(err)
	}
	if got := s.get(t, "?access_token="+token, token); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("revoked: %s", got.Status)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "ODD"} {
		got := s.ask(t, method, "/api/usage", "Authorization", "Bearer "+token)
		if got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %s, Allow %q", method, got.Status, got.Header.Get("Allow"))
		}
	}
}

// R1: one token asks 60 times a minute, all of a team 300 times; others are not held up.
func TestUsageIsAskedSoOften(t *testing.T) {
	s := newUsageServer(t)
	ana, eve := s.db.Member(t, "northwind", "ana", models.RoleOwner), s.db.Member(t, "contoso", "eve", models.RoleOwner)
	_, other := s.token(t, eve, "Other")
	passed := 0
	for i := range 6 {
		_, token := s.token(t, ana, "Bot "+strconv.Itoa(i))
		for n := range 61 {
			got := s.get(t, "", token)
			if got.StatusCode == http.StatusOK {
				passed++
				continue
			}
			wait, err := strconv.Atoi(got.Header.Get("Retry-After"))
			if got.StatusCode != http.StatusTooManyRequests || err != nil || wait < 1 || wait > 60 || got.at(t, "error") != "too_many_requests" {
				t.Fatalf("%d: %s %v %s", n, got.Status, got.Header, got.body)
			}
		}
	}
	if passed != 300 {
		t.Errorf("%d passed", passed)
	}
	if got := s.get(t, "", other); got.StatusCode != http.StatusOK {
		t.Errorf("another team: %s", got.Status)
	}
	s.db.Wait(time.Minute)
	_, token := s.token(t, ana, "Later")
	if got := s.get(t, "", token); got.StatusCode != http.StatusOK {
		t.Errorf("a minute later: %s", got.Status)
	}
}
