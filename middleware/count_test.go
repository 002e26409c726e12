package middleware_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
)

// A2: what a client sends makes no series: neither paths nor methods.
func TestCounter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { now = now.Add(3 * time.Millisecond); return now }
	counter := middleware.NewCounter()
	e := echo.New()
	e.Use(middleware.Log(slog.New(slog.DiscardHandler), clock, counter.Count))
	e.Any("/things/:id", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	e.GET("/live", func(c echo.Context) error { c.Response().Status = http.StatusSwitchingProtocols; return nil })
	for _, route := range e.Routes() {
		counter.Add(route.Path)
	}
	for _, r := range [][2]string{{"GET", "/things/1"}, {"GET", "/things/2?x=3"}, {"PROPFIND", "/things/3"}, {"GET", "/nowhere"}, {"CANARY", "/canary"}, {"GET", "/live"}} {
		e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), r[0], r[1], nil))
	}
	got, seen := map[string]int64{}, map[string]uint64{}
	for _, route := range counter.Stats() {
		for _, of := range route.Requests {
			got[route.Route+" "+of.Method+" "+string(rune('0'+of.Class))] += of.Count
		}
		seen[route.Route] = route.Took.Count
		if route.Route == "/things/:id" && route.Took.Sum != int64(3*3*time.Millisecond) {
			t.Errorf("took %v", route.Took)
		}
	}
	want := map[string]int64{"/things/:id GET 2": 2, "/things/:id other 2": 1, "none GET 4": 1, "none other 4": 1, "/live GET 1": 1}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	for key, n := range want {
		if got[key] != n {
			t.Errorf("%s: %d, want %d", key, got[key], n)
		}
	}
	if seen["/things/:id"] != 3 || seen["/live"] != 0 {
		t.Errorf("times: %v", seen)
	}
}

func BenchmarkCount(b *testing.B) {
	counter := middleware.NewCounter()
	counter.Add("/oauth2/verify")
	c := echo.New().NewContext(httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/oauth2/verify", nil), httptest.NewRecorder())
	c.SetPath("/oauth2/verify")
	b.ReportAllocs()
	for b.Loop() {
		counter.Count(c, 20*time.Microsecond)
	}
}
