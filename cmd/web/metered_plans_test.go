package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey/latchkey/models"
)

func echoes(t *testing.T, socket *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := socket.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, text, err := socket.Read(ctx); err != nil || string(text) != "hello" {
		t.Fatalf("%q %v", text, err)
	}
}

func TestOverageAtTheGateway(t *testing.T) {
	s := metered(t, models.Plan{Points: 2, Overage: true})
	for range 5 {
		s.wants(t, http.StatusOK, "/v1/x")
	}
	s.stands(t, models.PointsGrace, -3)
}

func TestPlanEndsAtTheGateway(t *testing.T) {
	s := newSite(t, "/v1=UP;strip;cost=1", asIs, asItIs)
	s.onPlan(t, models.Plan{Points: 1_000_000}, clockMillis().Add(2500*time.Millisecond))
	s.wants(t, http.StatusOK, "/v1/x")
	eventually(t, "the call is charged", func() bool { return s.balance(t) == 999_999 })
	ends := models.Time(s.db.Number(t, "SELECT ends_at FROM team_plans"))
	eventually(t, "the plan has ended", func() bool { return clockMillis() > ends })
	_, body := s.wants(t, http.StatusPaymentRequired, "/v1/x")
	if !strings.HasPrefix(body, "The team's plan Starter ended on ") || !strings.HasSuffix(body, "Whoever runs Latchkey can give it another.") {
		t.Errorf("%q", body)
	}
	s.stands(t, models.PointsExpired, 0)
}

// A change by a page of the same process holds for the next call of a token that is in use.
func TestPlanChangeReachesALiveTokenAtOnce(t *testing.T) {
	s := metered(t, models.Plan{Points: 1})
	s.wants(t, http.StatusOK, "/v1/x")
	s.wants(t, http.StatusPaymentRequired, "/v1/x")
	s.onPlan(t, models.Plan{Name: "Pro", Points: 1}, 0)
	s.wants(t, http.StatusOK, "/v1/x")
	s.wants(t, http.StatusPaymentRequired, "/v1/x")
	if _, err := s.db.AddPoints(t.Context(), models.CommandLine, models.PointsChange{TeamID: s.ana.TeamID, Points: 1, Reference: "INV-1"}, ""); err != nil {
		t.Fatal(err)
	}
	s.wants(t, http.StatusOK, "/v1/x")
	s.wants(t, http.StatusPaymentRequired, "/v1/x")
	plan, err := s.db.Plan(t.Context(), "Pro")
	if err != nil {
		t.Fatal(err)
	}
	plan.Overage = true
	if err := s.db.ChangePlan(t.Context(), models.CommandLine, plan.ID, plan.Plan, plan.Version); err != nil {
		t.Fatal(err)
	}
	s.wants(t, http.StatusOK, "/v1/x")
	plan.Overage, plan.RateLimit = false, 1
	if err := s.db.ChangePlan(t.Context(), models.CommandLine, plan.ID, plan.Plan, 0); err != nil {
		t.Fatal(err)
	}
	s.wants(t, http.StatusPaymentRequired, "/v1/x") // takes the one place of the rate
	s.wants(t, http.StatusTooManyRequests, "/v1/x")
	if err := s.db.EndPlan(t.Context(), models.CommandLine, s.ana.TeamID); err != nil {
		t.Fatal(err)
	}
	s.wants(t, http.StatusOK, "/v1/x")
}

// What a command changes, in a process of its own, holds within a second.
func TestCommandsReachALiveTokenWithinASecond(t *testing.T) {
	s := metered(t, models.Plan{Points: 1})
	s.wants(t, http.StatusOK, "/v1/x")
	reaches := func(status int, args ...string) {
		t.Helper()
		if code, _, stderr := call(t, s.env, "", args...); code != exitDone {
			t.Fatalf("%v: exit %d %s", args, code, stderr)
		}
		began := time.Now()
		var last time.Time
		eventually(t, strings.Join(args, " "), func() bool {
			last = time.Now()
			res, _, err := s.ask(t, t.Context(), "/v1/x")
			return err == nil && res.StatusCode == status
		})
		if took := last.Sub(began); took > promised {
			t.Errorf("%v: after %s", args, took)
		}
	}
	s.wants(t, http.StatusPaymentRequired, "/v1/x")
	reaches(http.StatusOK, "points", "add", "--team", "Northwind", "--points", "1")
	s.wants(t, http.StatusPaymentRequired, "/v1/x")
	if code, _, stderr := call(t, s.env, "", "plan", "add", "--name", "Pro", "--points", "100", "--rate", "1"); code != exitDone {
		t.Fatal(stderr)
	}
	reaches(http.StatusOK, "plan", "give", "--team", "Northwind", "--plan", "Pro")
	eventually(t, "the rate holds", func() bool {
		res, _, err := s.ask(t, t.Context(), "/v1/x")
		return err == nil && res.StatusCode == http.StatusTooManyRequests
	})
}

// G6: what is open ends with 4402, or cut, within a second of the last point, whoever spent it.
func TestDrainedInTheMiddleOfAStream(t *testing.T) {
	for _, overage := range []bool{false, true} {
		s := metered(t, models.Plan{Points: 8, Overage: overage})
		socket, _, why := s.dial(t)
		if socket == nil {
			t.Fatal(why)
		}
		echoes(t, socket)
		events := s.events(t)
		for range 6 {
			s.wants(t, http.StatusOK, "/v1/x")
		}
		if overage {
			s.wants(t, http.StatusOK, "/v1/slow?ms=1200")
			echoes(t, socket)
			continue
		}
		began := time.Now()
		code, reason := closedWith(t, socket)
		cut := within(t, events)
		if took := time.Since(began); code != 4402 || !strings.HasPrefix(reason, "The team has no points left.") || cut == nil || took > promised {
			t.Errorf("%d %q, events %v, after %s", code, reason, cut, took)
		}
		s.stands(t, models.PointsBlocked, 0)
	}
}

func within(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		t.Fatal("still open")
		return nil
	}
}

// events opens a stream of events and says later how it ended.
func (s *site) events(t *testing.T) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, _, err := s.ask(t, context.WithoutCancel(t.Context()), "/v1/sse")
		ended <- err
	}()
	select {
	case <-s.upstream.Arrived:
	case <-time.After(patience):
		t.Fatal("no stream of events")
	}
	return ended
}

func closedWith(t *testing.T, socket *websocket.Conn) (websocket.StatusCode, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, _, err := socket.Read(ctx)
	var closed websocket.CloseError
	if !errors.As(err, &closed) {
		t.Errorf("not closed: %v", err)
	}
	return closed.Code, closed.Reason
}

// A stream is counted when it begins: a crash while it is open loses it no more than others.
func TestStreamsAreCountedWhenTheyBegin(t *testing.T) {
	s := metered(t, models.Plan{Points: 100})
	socket, _, why := s.dial(t)
	if socket == nil {
		t.Fatal(why)
	}
	s.events(t)
	s.stands(t, models.PointsActive, 98)
	for _, status := range []int{http.StatusSwitchingProtocols, http.StatusOK} {
		if n := s.db.Number(t, "SELECT COALESCE(SUM(requests), 0) FROM usage_hours WHERE status = ?", status); n != 1 {
			t.Errorf("%d calls with %d", n, status)
		}
	}
}

func TestCostsAtTheGateway(t *testing.T) {
	s := metered(t, models.Plan{Points: 30})
	s.wants(t, http.StatusOK, "/v1/cost?points=12")
	s.stands(t, models.PointsActive, 18)
	s.wants(t, http.StatusOK, "/v2/cost?points=0")
	s.wants(t, http.StatusOK, "/v2/cost?points=nonsense")
	s.stands(t, models.PointsActive, 13)
	if _, body := s.wants(t, http.StatusBadGateway, "/away/x"); !strings.Contains(body, "cannot be reached") {
		t.Error(body)
	}
	s.stands(t, models.PointsActive, 13)
	s.line(t, "upstream=/away", "status=502")
	eventually(t, "it is counted all the same", func() bool {
		return s.db.Number(t, "SELECT COALESCE(SUM(requests), 0) FROM usage_hours WHERE status = 502 AND points = 0") == 1
	})
	// More than there is: below zero, once.
	s.wants(t, http.StatusOK, "/v1/cost?points=40")
	for range 3 {
		s.wants(t, http.StatusPaymentRequired, "/v1/cost?points=40")
	}
	s.stands(t, models.PointsBlocked, -27)
}

// Calls that come while the one runs that takes all may take the balance further, by what ran
// at that moment and no more.
func TestCostsAboveTheBalanceAtOnce(t *testing.T) {
	s := metered(t, models.Plan{Points: 3})
	var all sync.WaitGroup
	passed := make(chan bool, 20)
	for range 20 {
		all.Go(func() {
			res, _, err := s.ask(t, t.Context(), "/v1/cost?points=10")
			passed <- err == nil && res.StatusCode == http.StatusOK
		})
	}
	all.Wait()
	close(passed)
	n := int64(0)
	for ok := range passed {
		if ok {
			n++
		}
	}
	if n < 1 || n > 3 {
		t.Errorf("%d passed with 3 points", n)
	}
	s.stands(t, models.PointsBlocked, 3-10*n)
}

// One database, two servers, one point: one call passes.
func TestLastPointAtTwoGateways(t *testing.T) { // D8
	s := metered(t, models.Plan{Points: 1})
	other := serveSite(t, s.upstream, "/v1=UP;strip;cost=1", func(c *Config) { c.Database, c.Keys = s.env["LATCHKEY_DATABASE"], s.env["LATCHKEY_KEYS"] }, asItIs)
	var all sync.WaitGroup
	passed := make(chan bool, 50)
	for i := range 50 {
		all.Go(func() {
			at := []*site{s, other}[i%2]
			res, _, err := at.ask(t, t.Context(), "/v1/x")
			if err == nil && res.StatusCode == http.StatusOK {
				passed <- true
			}
		})
	}
	all.Wait()
	if len(passed) != 1 || len(s.upstream.Seen()) != 1 {
		t.Errorf("%d passed, the upstream had %d", len(passed), len(s.upstream.Seen()))
	}
	s.stands(t, models.PointsBlocked, 0)
}
