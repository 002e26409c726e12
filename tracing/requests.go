package tracing

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
)

// Requests records one span for each request. A trace that the client began is continued
// where trusts says that it comes by a proxy of ours, and is linked to otherwise: strangers
// do not decide what is recorded.
func (t *Traces) Requests(trusts func(r *http.Request) bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			from, link := placeFrom(r.Header), place{}
			if from.valid() && !trusts(r) {
				from, link = place{}, from
			}
			ctx, s := t.begin(r.Context(), kindServer, nameOf(r.Method), from)
			s.link = link
			defer s.answered(c)
			c.SetRequest(r.WithContext(ctx))
			return next(c)
		}
	}
}

// answered ends the span of a request.
func (s *span) answered(c echo.Context) {
	status, route, method := c.Response().Status, middleware.Route(c), nameOf(c.Request().Method)
	s.name = method + " " + route
	s.set(
		attribute{key: "http.request.method", text: method}, attribute{key: "http.route", text: route},
		attribute{key: "http.response.status_code", number: int64(status)}, attribute{key: "latchkey.request", text: middleware.ID(c)},
	)
	s.failed = status >= http.StatusInternalServerError
	s.finish()
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace,
}

// nameOf keeps what a client makes up out of the names of spans.
func nameOf(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return "_OTHER"
}

// Upstream notes the path of the gateway's route that a request goes to.
func (*Traces) Upstream(ctx context.Context, path string) {
	spanOf(ctx).set(attribute{key: "latchkey.upstream", text: path})
}
