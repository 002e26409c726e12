package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"

	"github.com/latchkey/latchkey/api"
	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/oauth"
	"github.com/latchkey/latchkey/tracing"
)

const (
	// readTimeout is for the header and the body together: moving the deadline in
	// between, for every request, takes a hundredth of the time of a short one.
	readTimeout    = 10 * time.Second
	requestTimeout = 30 * time.Second
	idleTimeout    = 2 * time.Minute
	// handlerTimeout ends what waits for the database before the server gives up
	// on the connection.
	handlerTimeout = 15 * time.Second
	// errorTimeout is what an error page may take after that.
	errorTimeout = 3 * time.Second
	maxHeader    = 16 << 10
	// statusClientLeft is for a client that did not wait. It may still read what comes,
	// and an answer without a status would be 200.
	statusClientLeft = 499
)

// world is the sides of Latchkey and what they share.
type world struct {
	log     *slog.Logger
	https   bool
	baseURL string
	proxies []*net.IPNet
	// formTargets are origins to which forms may lead.
	formTargets []string
	pages       *handlers.Handlers
	oauth       *oauth.Handler
	api         *api.Handler
	gateway     *gateway.Gateway
	// traces records requests; nil for nobody.
	traces *tracing.Traces
	// count is told of every request.
	count []func(c echo.Context, took time.Duration)
}

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:        handler,
		ReadTimeout:    readTimeout,
		WriteTimeout:   requestTimeout,
		IdleTimeout:    idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       newServerLog(log),
	}
}

// newEcho orders what every request passes and mounts all sides.
func newEcho(w world) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = addressFrom(w.proxies)
	e.HTTPErrorHandler = w.writeError
	e.Use(
		// Outermost, so that an error page is still written in time.
		echomiddleware.ContextTimeoutWithConfig(echomiddleware.ContextTimeoutConfig{
			Timeout: handlerTimeout, Skipper: func(c echo.Context) bool {
				return oauth.KeepsTime(c.Request().URL.Path) || w.gateway.Owns(c.Request())
			},
		}),
		middleware.RequestID(),
		w.tracing(),
		middleware.Log(w.log, clock, w.count...),
		middleware.Recover(),
		w.divert,
		middleware.SecurityHeaders(w.https, func(path string) bool { return !oauth.Owns(path) && !api.Owns(path) }, w.formTargets...),
	)
	w.oauth.Routes(e)
	w.api.Routes(e)
	w.pages.Routes(e)
	return e
}

// tracing records requests, where that is wanted.
func (w world) tracing() echo.MiddlewareFunc {
	if w.traces == nil {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	return w.traces.Requests(func(r *http.Request) bool {
		_, ok := w.proxy(r)
		return ok
	})
}

// addressFrom takes the client's address from X-Forwarded-For where the peer is
// a proxy that the operator named, and from the connection otherwise.
func addressFrom(proxies []*net.IPNet) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range proxies {
		trust = append(trust, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

// writeError tells the worlds apart by path, once. The answer to what is
// our fault does not say why; the log does.
func (w world) writeError(err error, c echo.Context) {
	var toClient *net.OpError
	if c.Response().Committed {
		if !errors.As(err, &toClient) && !mayComeFromLeaving(err) {
			w.log.Error("failed after the answer began", "request", middleware.ID(c), "error", err)
		}
		return
	}
	if c.Request().Context().Err() == context.Canceled && mayComeFromLeaving(err) {
		_ = c.NoContent(statusClientLeft) // it hardly reads that
		return
	}
	// The request may have run out of time; its answer still has some.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), errorTimeout)
	defer cancel()
	c.SetRequest(c.Request().WithContext(ctx))
	write := w.pages.WriteError
	switch {
	case oauth.Owns(c.Request().URL.Path):
		write = oauth.WriteError
	case api.Owns(c.Request().URL.Path):
		write = api.WriteError
	}
	if failed := write(c, err); failed != nil {
		w.log.Error("error not written", "request", middleware.ID(c), "error", failed)
		if !c.Response().Committed {
			_ = c.NoContent(http.StatusInternalServerError) // never 200
		}
	}
	if c.Response().Status >= http.StatusInternalServerError {
		w.log.Error("request failed", "request", middleware.ID(c), "error", err)
	}
}

// mayComeFromLeaving tells what the end of a request's context makes of its work, from
// what has another cause: that is answered and logged whoever still reads it.
func mayComeFromLeaving(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, models.ErrUnavailable) || errors.Is(err, models.ErrBusy)
}
