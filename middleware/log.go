package middleware

import (
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"
)

const annotationsKey = "log annotations"

// Log writes one line for each request. It names the route, not the address:
// what people put into addresses and queries does not belong in a log. Whoever counts
// requests is told of each, with the time that it took.
func Log(log *slog.Logger, now func() time.Time, count ...func(c echo.Context, took time.Duration)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			// Also for an answer that is cut by a panic.
			defer writeLine(log, now, now(), c, count)
			if err := next(c); err != nil {
				c.Error(err)
			}
			return nil
		}
	}
}

func writeLine(log *slog.Logger, now func() time.Time, start time.Time, c echo.Context, count []func(echo.Context, time.Duration)) {
	ctx, end, level := c.Request().Context(), now(), levelOf(c.Response().Status)
	for _, tell := range count {
		tell(c, end.Sub(start))
	}
	if !log.Enabled(ctx, level) {
		return
	}
	// Not by a method of log, which looks for its caller: a fifth of the work.
	line := slog.NewRecord(end, level, "request", 0)
	line.AddAttrs(
		slog.String("request", ID(c)), slog.String("method", c.Request().Method), slog.String("route", Route(c)),
		slog.Int("status", c.Response().Status), slog.Int64("bytes", c.Response().Size),
		slog.Duration("took", end.Sub(start)), slog.String("from", c.RealIP()),
	)
	notes, _ := c.Get(annotationsKey).([]slog.Attr)
	line.AddAttrs(notes...)
	_ = log.Handler().Handle(ctx, line) // as the methods of log do
}

// Route is the pattern of the route that answers, "none" where there is none.
func Route(c echo.Context) string {
	if path := c.Path(); path != "" {
		return path
	}
	return "none"
}

func levelOf(status int) slog.Level {
	if status >= 500 {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// Annotate adds a fact to the request's log line: a reason, an ID, never a value.
func Annotate(c echo.Context, key, value string) {
	notes, _ := c.Get(annotationsKey).([]slog.Attr)
	c.Set(annotationsKey, append(notes, slog.String(key, value)))
}
