package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey/latchkey/models"
)

const (
	// promised is how soon a change holds that another process makes.
	promised = time.Second
	patience = 20 * time.Second
)

// onPlan gives the team a plan, as an operator's page does.
func (s *site) onPlan(t *testing.T, plan models.Plan, endsAt models.Time) {
	t.Helper()
	if plan.Name == "" {
		plan.Name = "Starter"
	}
	plan.NameKey = models.FoldName(plan.Name)
	if plan.PeriodDays == 0 {
		plan.PeriodDays = 30
	}
	if err := s.db.AddPlan(t.Context(), models.CommandLine, plan); err != nil {
		t.Fatal(err)
	}
	made, err := s.db.Plan(t.Context(), plan.Name)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.GivePlan(t.Context(), models.CommandLine, s.ana.TeamID, made.ID, endsAt); err != nil {
		t.Fatal(err)
	}
}

// metered is a site whose routes cost a point and five.
func metered(t *testing.T, plan models.Plan) *site {
	t.Helper()
	s := newSite(t, "/v1=UP;strip;ws;cost=1;api=v1 /v2=UP;strip;cost=5;api=v2 /away=http://127.0.0.1:1;cost=1", asIs, asItIs)
	s.onPlan(t, plan, 0)
	return s
}

// wants asks and returns the answer, whose status must be as wanted.
func (s *site) wants(t *testing.T, status int, path string) (http.Header, string) {
	t.Helper()
	res, body, err := s.ask(t, t.Context(), path)
	if err != nil || res.StatusCode != status {
		t.Fatalf("%s: %v %q %v, want %d", path, res, body, err, status)
	}
	return res.Header, body
}

// report is what of GET /api/usage the tests look at.
type report struct {
	Status string `json:"status"`
	Period struct {
		Plan  *string `json:"plan_name"`
		Usage struct {
			Points   int64 `json:"points_usage"`
			Requests int64 `json:"requests_usage"`
		} `json:"usage"`
	} `json:"billing_period"`
	Left  *int64 `json:"points_left"`
	ByAPI []struct {
		API      string `json:"api"`
		Points   int64  `json:"points_usage"`
		Requests int64  `json:"requests_usage"`
		Errors   int64  `json:"errors"`
	} `json:"by_api"`
}

func (s *site) report(t *testing.T) report {
	t.Helper()
	_, body := s.wants(t, http.StatusOK, "/api/usage")
	var r report
	if err := json.Unmarshal([]byte(body), &r); err != nil || r.Left == nil {
		t.Fatalf("%s: %v", body, err)
	}
	return r
}

// stands wants a status and a balance, which the ledger must come to as well.
func (s *site) stands(t *testing.T, status models.PointsStatus, left int64) {
	t.Helper()
	// Another node's calls are known here once they are stored.
	eventually(t, fmt.Sprintf("%s with %d points", status, left), func() bool {
		r := s.report(t)
		return r.Status == string(status) && *r.Left == left
	})
	eventually(t, "the ledger has it", func() bool { return s.balance(t) == left })
	if sum := s.db.Number(t, "SELECT SUM(points) FROM ledger_entries WHERE team_id = ?", s.ana.TeamID); sum != left {
		t.Errorf("the ledger's sum is %d, the balance %d", sum, left)
	}
}

func (s *site) balance(t *testing.T) int64 {
	t.Helper()
	return s.db.Number(t, "SELECT balance FROM team_points WHERE team_id = ?", s.ana.TeamID)
}

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for began := time.Now(); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("%s: not after %s", what, patience)
		}
	}
}

func TestPointsRunOutAtTheGateway(t *testing.T) {
	s := metered(t, models.Plan{Points: 11})
	s.wants(t, http.StatusOK, "/v1/x")
	s.wants(t, http.StatusOK, "/v2/x")
	s.wants(t, http.StatusOK, "/v1/x")
	header, body := s.wants(t, http.StatusPaymentRequired, "/v2/x")
	if !strings.HasPrefix(body, "The team has 4 points left, and the call costs 5. Whoever runs Latchkey can add points; the next refill is on ") || header.Get("Retry-After") == "" {
		t.Errorf("%q %v", body, header)
	}
	for range 4 {
		s.wants(t, http.StatusOK, "/v1/x")
	}
	if _, body = s.wants(t, http.StatusPaymentRequired, "/v1/x"); !strings.HasPrefix(body, "The team has no points left. Whoever runs Latchkey can add points; the next refill is on ") {
		t.Errorf("%q", body)
	}
	s.stands(t, models.PointsBlocked, 0)
	var r report
	eventually(t, "all calls are counted", func() bool {
		r = s.report(t)
		return r.Period.Usage.Requests >= 9
	})
	if len(r.ByAPI) != 2 || r.Period.Usage.Points != 11 || r.Period.Usage.Requests != 9 {
		t.Errorf("%+v", r)
	}
	for _, row := range r.ByAPI {
		want := map[string]string{"v1": "6 7 1", "v2": "5 2 1"}[row.API]
		if got := fmt.Sprint(row.Points, row.Requests, row.Errors); got != want {
			t.Errorf("%s: %s, want %s", row.API, got, want)
		}
	}
	if got := len(s.upstream.Seen()); got != 7 {
		t.Errorf("the upstream had %d calls", got)
	}
}

// Where no period will follow there is nothing to wait for.
func TestNoRefillIsNotWaitedFor(t *testing.T) {
	s := metered(t, models.Plan{})
	if header, body := s.wants(t, http.StatusPaymentRequired, "/v1/x"); body != "The team has no points left. Whoever runs Latchkey can add points." || header.Get("Retry-After") != "" {
		t.Errorf("%q %v", body, header)
	}
}

func TestCapOfAnApplicationAtTheGateway(t *testing.T) {
	s := metered(t, models.Plan{Points: 1000})
	limit := int64(7)
	change := func() {
		t.Helper()
		if err := s.db.ChangeApplication(t.Context(), s.ana, s.app.ID, models.ApplicationValues{Name: "Bot", Lifespan: 3600, Scopes: "api", PointsPerDay: &limit}, 0); err != nil {
			t.Fatal(err)
		}
	}
	change()
	s.wants(t, http.StatusOK, "/v2/x")
	_, body := s.wants(t, http.StatusPaymentRequired, "/v2/x")
	if !strings.HasPrefix(body, "The application has 2 left of the 7 points that it may spend today, and the call costs 5. An owner or a developer of the team can raise that") {
		t.Errorf("%q", body)
	}
	s.wants(t, http.StatusOK, "/v1/x")
	s.wants(t, http.StatusOK, "/v1/x")
	header, body := s.wants(t, http.StatusPaymentRequired, "/v1/x")
	if !strings.HasPrefix(body, "The application has used its 7 points of today. An owner or a developer of the team can raise that") || header.Get("Retry-After") == "" {
		t.Errorf("%q %v", body, header)
	}
	limit = 8
	change()
	s.wants(t, http.StatusOK, "/v1/x") // at once
	s.stands(t, models.PointsActive, 992)
}

func TestRateAtTheGateway(t *testing.T) {
	s := metered(t, models.Plan{Points: 1000, RateLimit: 3})
	for left := range 3 {
		header, _ := s.wants(t, http.StatusOK, "/v1/x")
		if got := header.Get("RateLimit"); header.Get("RateLimit-Policy") != `"team";q=3;w=60` || !strings.HasPrefix(got, fmt.Sprintf(`"team";r=%d;t=`, 2-left)) {
			t.Errorf("%v", header)
		}
	}
	header, body := s.wants(t, http.StatusTooManyRequests, "/v1/x")
	if !strings.HasPrefix(body, "The team makes more than the 3 requests a minute of its plan Starter. Wait ") || !strings.HasSuffix(body, ", or ask whoever runs Latchkey for a larger plan.") {
		t.Errorf("%q", body)
	}
	if header.Get("Retry-After") != "20" || header.Get("RateLimit-Policy") != `"team";q=3;w=60` || !strings.HasPrefix(header.Get("RateLimit"), `"team";r=0;t=`) {
		t.Errorf("%v", header)
	}
	s.stands(t, models.PointsActive, 997)
}

// R1: of 50 at once, as many streams are opened as the plan has; the others are told so.
func TestStreamsOfAPlan(t *testing.T) {
	s := metered(t, models.Plan{Points: 1000, Streams: 6})
	type opened struct {
		socket *websocket.Conn
		status int
		why    string
	}
	answers := make(chan opened, 50)
	for range 50 {
		go func() {
			socket, status, why := s.dial(t)
			answers <- opened{socket, status, why}
		}()
	}
	var open []*websocket.Conn
	for range 50 {
		one := <-answers
		switch {
		case one.status == http.StatusSwitchingProtocols:
			open = append(open, one.socket)
		case one.status != http.StatusTooManyRequests || !strings.HasPrefix(one.why, "The team's plan allows 6 streams at once, and that many are open. Close one, or "):
			t.Errorf("%d %q", one.status, one.why)
		}
	}
	if len(open) != 6 {
		t.Fatalf("%d are open", len(open))
	}
	for _, socket := range open {
		echoes(t, socket)
	}
	_ = open[0].CloseNow()
	eventually(t, "a place is free", func() bool {
		_, status, _ := s.dial(t)
		return status == http.StatusSwitchingProtocols
	})
}

func (s *site) dial(t *testing.T) (*websocket.Conn, int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	socket, res, err := websocket.Dial(ctx, s.base+"/v1/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + bearer}}})
	if err == nil {
		t.Cleanup(func() { _ = socket.CloseNow() })
		return socket, res.StatusCode, ""
	}
	if res == nil {
		t.Error(err)
		return nil, 0, ""
	}
	text := make([]byte, 1024)
	n, _ := res.Body.Read(text)
	return nil, res.StatusCode, string(text[:n])
}
