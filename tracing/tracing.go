// Package tracing records what requests do as OpenTelemetry spans and sends them to a
// collector over OTLP/HTTP. Spans name routes, never addresses: no path, query, header or
// body of a request stands in one, and no value of a token.
package tracing

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Settings is where spans go. Which are recorded, and how many wait, the SDK reads from
// variables of its own.
type Settings struct {
	// URL is where they are posted.
	URL     string
	Headers map[string]string
	// Timeout is for one post.
	Timeout time.Duration
	Gzip    bool
	// CAs sign the collector's certificate; nil for those that the system knows.
	CAs *x509.CertPool
	// Version is of this program.
	Version string
}

// Traces records spans. It is safe for concurrent use.
type Traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	context  propagation.TraceContext
}

// Start begins to record. Close sends what waits.
func Start(ctx context.Context, settings Settings, log *slog.Logger) (*Traces, error) {
	// The collector's client says by itself what goes wrong.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	exporter, err := otlptrace.New(ctx, newCollector(settings, log))
	if err != nil {
		return nil, err
	}
	// What the environment says of the resource comes last, and holds.
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithService(),
		resource.WithAttributes(attribute.String("service.name", "latchkey"), attribute.String("service.version", settings.Version)), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, err
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	return &Traces{provider: provider, tracer: provider.Tracer("github.com/latchkey/latchkey")}, nil
}

// Close sends what waits, until ctx ends. What cannot be sent is lost, which is no failure
// of the program.
func (t *Traces) Close(ctx context.Context) { _ = t.provider.Shutdown(ctx) }

// Headers are those of W3C Trace Context by which an upstream continues the trace of ctx.
func (t *Traces) Headers(ctx context.Context) (traceparent, tracestate string) {
	h := http.Header{}
	t.context.Inject(ctx, propagation.HeaderCarrier(h))
	return h.Get("Traceparent"), h.Get("Tracestate")
}
