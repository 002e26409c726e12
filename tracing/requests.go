package tracing

import (
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/latchkey/latchkey/middleware"
)

// Requests records one span for each request. A trace that the client began is continued
// where trusts says that it comes by a proxy of ours, and is linked to otherwise: strangers
// do not decide what is recorded.
func (t *Traces) Requests(trusts func(r *http.Request) bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}
			ctx := r.Context()
			if from := trace.SpanContextFromContext(t.context.Extract(context.Background(), propagation.HeaderCarrier(r.Header))); from.IsValid() {
				if trusts(r) {
					ctx = trace.ContextWithRemoteSpanContext(ctx, from)
				} else {
					options = append(options, trace.WithLinks(trace.Link{SpanContext: from}))
				}
			}
			ctx, span := t.tracer.Start(ctx, nameOf(r.Method), options...)
			defer end(span, c)
			c.SetRequest(r.WithContext(ctx))
			return next(c)
		}
	}
}

func end(span trace.Span, c echo.Context) {
	status, route := c.Response().Status, middleware.Route(c)
	span.SetName(nameOf(c.Request().Method) + " " + route)
	span.SetAttributes(
		attribute.String("http.request.method", nameOf(c.Request().Method)), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status), attribute.String("latchkey.request", middleware.ID(c)),
	)
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
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
func (t *Traces) Upstream(ctx context.Context, path string) {
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("latchkey.upstream", path))
}
