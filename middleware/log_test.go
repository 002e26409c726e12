package middleware_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
)

const canary = "canary-Zk3Q"

var requestID = regexp.MustCompile(`^[A-Z2-7]{16}$`)

func TestRequestIDIsOurOwn(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("X-Request-Id", canary)
		inHandler := ""
		answer := serve(r, func(e *echo.Echo) {
			e.GET("/", func(c echo.Context) error { inHandler = middleware.ID(c); return echo.ErrTeapot })
		}, middleware.RequestID())
		got := answer.Header().Values("X-Request-Id")
		if len(got) != 1 || !requestID.MatchString(got[0]) || strings.Contains(got[0], "canary") || got[0] != inHandler {
			t.Fatalf("answered %q, the handler saw %q", got, inHandler)
		}
		seen[got[0]] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d IDs for 100 requests", len(seen))
	}
}

// logOf serves a request and returns its log lines.
func logOf(t *testing.T, r *http.Request, routes func(e *echo.Echo)) (lines []map[string]any, raw string) {
	t.Helper()
	var out bytes.Buffer
	c := &clock{t: time.Unix(1000, 0)}
	now := func() time.Time { c.t = c.t.Add(time.Millisecond); return c.t }
	serve(r, routes, middleware.RequestID(), middleware.Log(slog.New(slog.NewJSONHandler(&out, nil)), now), middleware.Recover())
	for line := range strings.Lines(out.String()) {
		fields := map[string]any{}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		lines = append(lines, fields)
	}
	return lines, out.String()
}

// A2: a line names the route, and nothing that a client put into the request.
func TestLogHoldsNoValues(t *testing.T) {
	routes := func(e *echo.Echo) {
		e.Any("/apps/:id", func(c echo.Context) error {
			middleware.Annotate(c, "client", "an-id")
			middleware.Annotate(c, "refused", "wrong")
			if c.QueryParam("fail") != "" {
				return errors.New(canary)
			}
			if c.QueryParam("panic") != "" {
				panic(canary)
			}
			return c.String(http.StatusTeapot, canary)
		})
	}
	for path, want := range map[string]struct {
		route  string
		status float64
		level  string
	}{
		"/apps/" + canary:                         {"/apps/:id", 418, "INFO"},
		"/apps/" + canary + "?token=" + canary:    {"/apps/:id", 418, "INFO"},
		"/apps/x?fail=1&code=" + canary:           {"/apps/:id", 500, "ERROR"},
		"/apps/x?panic=1&code=" + canary:          {"/apps/:id", 500, "ERROR"},
		"/" + canary:                              {"none", 404, "INFO"},
		"/setup/" + canary + "/?code=" + canary:   {"none", 404, "INFO"},
		"/apps/" + canary + "%0alevel=ERROR%20x=": {"/apps/:id", 418, "INFO"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader("password="+canary))
		r.RemoteAddr = "192.0.2.7:4711"
		for _, name := range []string{"Authorization", "Cookie", "User-Agent", "Referer", "X-Request-Id", "Content-Type", "Origin", "Host"} {
			r.Header.Set(name, "Bearer "+canary)
		}
		r.Host = canary
		lines, raw := logOf(t, r, routes)
		if strings.Contains(raw, "canary") {
			t.Errorf("%s: the log shows it: %s", path, raw)
		}
		if len(lines) != 1 {
			t.Fatalf("%s: %d lines: %s", path, len(lines), raw)
		}
		line := lines[0]
		if line["route"] != want.route || line["status"] != want.status || line["level"] != want.level || line["method"] != "POST" || line["from"] != "192.0.2.7" {
			t.Errorf("%s: %v, want %v", path, line, want)
		}
		if id, _ := line["request"].(string); !requestID.MatchString(id) || line["took"] != float64(time.Millisecond) {
			t.Errorf("%s: request %v took %v", path, line["request"], line["took"])
		}
		if want.route == "/apps/:id" && (line["client"] != "an-id" || line["refused"] != "wrong") {
			t.Errorf("%s: annotations are missing: %v", path, line)
		}
	}
}

// A6: a panic ends this request alone; A2: what was thrown is told to nobody.
func TestRecoverHidesWhatWasThrown(t *testing.T) {
	var nothing map[string]int
	for what, throw := range map[string]func(){
		"text":    func() { panic("secret " + canary) },
		"error":   func() { panic(errors.New(canary)) },
		"struct":  func() { panic(struct{ Value string }{canary}) },
		"nil map": func() { nothing[canary] = 1 },
		"nil":     func() { panic(nil) },
	} {
		var handled error
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		answer := serve(r, func(e *echo.Echo) {
			e.HTTPErrorHandler = func(err error, c echo.Context) {
				handled = err
				_ = c.String(http.StatusInternalServerError, "sorry")
			}
			e.GET("/", func(echo.Context) error { throw(); return nil })
		}, middleware.Recover())
		var panicked middleware.PanicError
		if answer.Code != 500 || !errors.As(handled, &panicked) {
			t.Fatalf("%s: %d, %v", what, answer.Code, handled)
		}
		if strings.Contains(handled.Error(), "canary") {
			t.Errorf("%s: the error shows it: %v", what, handled)
		}
		if panicked.Thrown == "" || !strings.Contains(handled.Error(), "log_test.go") {
			t.Errorf("%s: type %q, and no line to look at", what, panicked.Thrown)
		}
	}
}

// net/http ends a connection by this panic; it has to arrive there.
func TestRecoverLetsAbortsThrough(t *testing.T) {
	defer func() {
		if recover() != http.ErrAbortHandler { //nolint:errorlint // what was thrown, not what it wraps
			t.Error("the abort was swallowed")
		}
	}()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	serve(r, func(e *echo.Echo) { e.GET("/", func(echo.Context) error { panic(http.ErrAbortHandler) }) }, middleware.Recover())
}
