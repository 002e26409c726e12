package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey/latchkey/provider"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/tracing"
)

const (
	otlp       = "OTEL_EXPORTER_OTLP_"
	otlpTraces = "OTEL_EXPORTER_OTLP_TRACES_"
	// exportFor is what OpenTelemetry has a post take at most.
	exportFor = 10 * time.Second
	// tracesFor is how long what waits may take at the stop.
	tracesFor = 3 * time.Second
)

// readTraces reads where traces go from the variables that OpenTelemetry names; nil for
// nowhere.
func readTraces(env lookup) (*tracing.Settings, error) {
	from := traceVariables{env: env}
	variable, address := from.of("ENDPOINT")
	if address == "" || strings.EqualFold(from.get("OTEL_SDK_DISABLED"), "true") || from.get("OTEL_TRACES_EXPORTER") == "none" {
		return nil, nil
	}
	settings := &tracing.Settings{Timeout: exportFor, Now: clock}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		from.say(variable, "write the collector's address, such as http://127.0.0.1:4318")
	} else {
		if variable == otlp+"ENDPOINT" {
			u = u.JoinPath("v1", "traces")
		}
		settings.URL = u.String()
	}
	if name, value := from.of("PROTOCOL"); value != "" && value != "http/protobuf" {
		from.say(name, "write http/protobuf, which is all that this program speaks")
	}
	from.delivery(settings)
	settings.Sampler = from.sampler()
	settings.Resource = from.resource()
	if len(from.wrong) > 0 {
		return nil, usageError{lines: from.wrong}
	}
	return settings, nil
}

// traceVariables reads them and notes what is wrong.
type traceVariables struct {
	env   lookup
	wrong []string
}

func (v *traceVariables) get(name string) string {
	value, _ := v.env(name)
	return strings.TrimSpace(value)
}

// of is what a variable says for traces, or for all that OpenTelemetry sends.
func (v *traceVariables) of(name string) (variable, value string) {
	if value := v.get(otlpTraces + name); value != "" {
		return otlpTraces + name, value
	}
	return otlp + name, v.get(otlp + name)
}

func (v *traceVariables) say(variable, problem string) {
	v.wrong = append(v.wrong, variable+": "+problem)
}

// delivery reads how traces are sent.
func (v *traceVariables) delivery(settings *tracing.Settings) {
	var err error
	if name, value := v.of("COMPRESSION"); value == "gzip" {
		settings.Gzip = true
	} else if value != "" && value != "none" {
		v.say(name, "write gzip or none")
	}
	if name, value := v.of("TIMEOUT"); value != "" {
		millis, err := strconv.Atoi(value)
		if err != nil || millis < 1 {
			v.say(name, "write a number of milliseconds, such as 10000")
		}
		settings.Timeout = time.Duration(millis) * time.Millisecond
	}
	if name, value := v.of("CERTIFICATE"); value != "" {
		if settings.CAs, err = provider.ReadRoots(value); err != nil {
			v.say(name, "write the path of a PEM file with one certificate or more: "+err.Error())
		}
	}
	if name, value := v.of("HEADERS"); value != "" {
		if settings.Headers, err = parseHeaders(value); err != nil {
			v.say(name, "write name=value, comma separated, with what is special in a value percent-encoded")
		}
	}
}

// sampler reads which traces are recorded.
func (v *traceVariables) sampler() tracing.Sampler {
	const variable = "OTEL_TRACES_SAMPLER"
	name, byParent := strings.CutPrefix(v.get(variable), "parentbased_")
	s := tracing.Sampler{ByParent: byParent || name == "", Ratio: 1}
	switch name {
	case "", "always_on":
	case "always_off":
		s.Ratio = 0
	case "traceidratio":
		if text := v.get(variable + "_ARG"); text != "" {
			var err error
			if s.Ratio, err = strconv.ParseFloat(text, 64); err != nil || !(s.Ratio >= 0 && s.Ratio <= 1) {
				v.say(variable+"_ARG", "write a share of the traces from 0 to 1, such as 0.01")
			}
		}
	default:
		v.say(variable, "write always_on, always_off or traceidratio, each also after parentbased_")
	}
	return s
}

// resource reads what this node is called.
func (v *traceVariables) resource() map[string]string {
	const variable = "OTEL_RESOURCE_ATTRIBUTES"
	about := map[string]string{"service.name": "latchkey", "service.version": version(), "service.instance.id": store.NewID()}
	if text := v.get(variable); text != "" {
		more, err := parseHeaders(text)
		if err != nil {
			v.say(variable, "write name=value, comma separated, with what is special in a value percent-encoded")
		}
		maps.Copy(about, more)
	}
	if name := v.get("OTEL_SERVICE_NAME"); name != "" {
		about["service.name"] = name
	}
	return about
}

var errHeaders = errors.New("these are no headers")

func parseHeaders(text string) (map[string]string, error) {
	headers := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil || name == "" || strings.Trim(name, tokenPrefixChars) != "" || strings.ContainsAny(value, "\r\n\x00") {
			return nil, errHeaders
		}
		headers[name] = value
	}
	return headers, nil
}

// startTraces begins to record; nil where nobody asked for that.
func startTraces(ctx context.Context, to *tracing.Settings, log *slog.Logger) *tracing.Traces {
	if to == nil {
		return nil
	}
	return tracing.Start(context.WithoutCancel(ctx), *to, log)
}

// traced is the store as the tokens ask it.
func traced(db *store.Store, traces *tracing.Traces) tokens.Store {
	if traces == nil {
		return db
	}
	return traces.Store(db)
}

// closeTraces sends what waits. A collector that is away must not hold up the stop.
func closeTraces(ctx context.Context, traces *tracing.Traces) {
	if traces == nil {
		return
	}
	limit, cancel := context.WithTimeout(ctx, tracesFor)
	defer cancel()
	traces.Close(limit)
}
