package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/latchkey/latchkey/gateway/gatewaytest"
	"github.com/latchkey/latchkey/store/storetest"
)

// collector is a server that receives traces.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	spans  []*tracepb.Span
	raw    string
	header http.Header
	// busy is how many posts are answered 503 first.
	busy int
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy--; c.busy >= 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	reader, err := gzip.NewReader(r.Body)
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(reader)
	var data tracepb.TracesData
	if err != nil || proto.Unmarshal(body, &data) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.header, c.raw = r.Header, c.raw+string(body)
	for _, of := range data.GetResourceSpans() {
		for _, scope := range of.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
}

// span returns the one of a name.
func (c *collector) span(t *testing.T, name string) *tracepb.Span {
	t.Helper()
	i := slices.IndexFunc(c.spans, func(s *tracepb.Span) bool { return s.GetName() == name })
	if i < 0 {
		var names []string
		for _, s := range c.spans {
			names = append(names, s.GetName())
		}
		t.Fatalf("no span %q among %q", name, names)
	}
	return c.spans[i]
}

func attribute(s *tracepb.Span, key string) string {
	for _, a := range s.GetAttributes() {
		if a.GetKey() == key {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// tracedSite is the whole server with traces, before an upstream.
func tracedSite(t *testing.T, env map[string]string) (s *site, stop func()) {
	t.Helper()
	to, err := readTraces(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil || to == nil {
		t.Fatal(to, err)
	}
	s = &site{upstream: gatewaytest.New(t)}
	log := slog.New(slog.NewTextHandler(s, nil))
	traces := startTraces(t.Context(), to, log)
	w, db := testWorldWith(t, log, func(c *Config) {
		if problem := parseUpstreams(c, "/v1="+s.upstream.URL+";strip"); problem != "" {
			t.Fatal(problem)
		}
		_, loopback, err := net.ParseCIDR("127.0.0.1/32")
		if err != nil {
			t.Fatal(err)
		}
		c.TrustedProxies = []*net.IPNet{loopback}
		s.db = &storetest.DB{Path: c.Database}
	})
	s.db.Store = db
	w.traces = traces
	server := httptest.NewServer(newEcho(w))
	t.Cleanup(server.Close)
	s.base = server.URL
	s.addToken(t)
	return s, func() { traces.Close(context.Background()) }
}

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// A2: spans name routes. Nothing that a client sends stands in one, and the upstream gets
// the trace of the gateway's own span.
func TestTraces(t *testing.T) {
	c := newCollector(t)
	c.busy = 1
	s, stop := tracedSite(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20key,x=y",
	})
	ask := func(path, token string, headers ...string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if status := ask("/v1/orders/canary-path?q=canary-query", bearer, "Traceparent", parent, "Tracestate", "vendor=canary-state", "X-Canary", "canary-header"); status != 200 {
		t.Fatal(status)
	}
	if status := ask("/oauth2/verify", "canary-token"); status != 401 {
		t.Fatal(status)
	}
	if status := ask("/no/canary-page", ""); status != 404 {
		t.Fatal(status)
	}
	stop()
	got := s.upstream.Seen()[0].Headers
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.span(t, "GET gateway")
	if trace, from := hex.EncodeToString(call.GetTraceId()), hex.EncodeToString(call.GetParentSpanId()); trace != parent[3:35] || from != parent[36:52] {
		t.Errorf("the trace of a client behind a proxy of ours is not continued: %s %s", trace, from)
	}
	if attribute(call, "latchkey.upstream") != "/v1" || attribute(call, "http.route") != "gateway" || attribute(call, "latchkey.request") == "" {
		t.Errorf("%v", call.GetAttributes())
	}
	if want := "00-" + parent[3:35] + "-" + hex.EncodeToString(call.GetSpanId()) + "-01"; got.Get("Traceparent") != want || got.Get("Tracestate") != "vendor=canary-state" {
		t.Errorf("upstream got %q %q, want %q", got.Get("Traceparent"), got.Get("Tracestate"), want)
	}
	if verify := c.span(t, "GET /oauth2/verify"); len(verify.GetParentSpanId()) != 0 || attribute(verify, "latchkey.upstream") != "" {
		t.Errorf("%v", verify)
	}
	raw := strings.ReplaceAll(c.raw, "vendor=canary-state", "") // it is what traces are continued by
	for _, canary := range []string{"canary", bearer, "127.0.0.1"} {
		if strings.Contains(raw, canary) {
			t.Errorf("a span holds %q", canary)
		}
	}
	if !strings.Contains(c.raw, "latchkey") || c.header.Get("Api-Key") != "a key" || c.header.Get("X") != "y" {
		t.Errorf("headers %v", c.header)
	}
}

// The program as it is started: reads of the database stand below the request that waits for
// them. What strangers say of a trace is noted and not followed.
func TestTracesOfTheProgram(t *testing.T) {
	c := newCollector(t)
	env := folder(t)
	maps.Copy(env, map[string]string{"LATCHKEY_ADDR": "127.0.0.1:0", "OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"})
	ctx, stop := context.WithCancel(t.Context())
	reader, stdout := io.Pipe()
	ended := make(chan int, 1)
	var stderr strings.Builder
	go func() {
		ended <- run(ctx, []string{"web"}, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, strings.NewReader(""), stdout, &stderr)
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, regexp.MustCompile(`http://[^/\s]+`).FindString(line)+"/oauth2/verify", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer unknown"}, "Traceparent": {parent}}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	stop()
	if code := <-ended; code != exitDone {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	verify, read := c.span(t, "GET /oauth2/verify"), c.span(t, "read a token")
	if string(read.GetParentSpanId()) != string(verify.GetSpanId()) {
		t.Error("the read does not stand below the request")
	}
	if hex.EncodeToString(verify.GetTraceId()) == parent[3:35] || len(verify.GetLinks()) != 1 || hex.EncodeToString(verify.GetLinks()[0].GetTraceId()) != parent[3:35] {
		t.Errorf("%v", verify)
	}
}

// Off is off, and what is wrong is said at once, all of it.
func TestTraceVariables(t *testing.T) {
	read := func(env map[string]string) (string, string, error) {
		to, err := readTraces(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		if to == nil {
			return "", "", err
		}
		return to.URL, to.Timeout.String(), err
	}
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	for _, test := range []struct {
		env          map[string]string
		url, timeout string
	}{
		{nil, "", ""},
		{map[string]string{endpoint: "http://c:4318", "OTEL_SDK_DISABLED": "TRUE"}, "", ""},
		{map[string]string{endpoint: "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, "", ""},
		{map[string]string{endpoint: "http://c:4318"}, "http://c:4318/v1/traces", "10s"},
		{map[string]string{endpoint: "http://c:4318/otlp/", "OTEL_EXPORTER_OTLP_TIMEOUT": "500"}, "http://c:4318/otlp/v1/traces", "500ms"},
		{map[string]string{endpoint: "http://c:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://d/x", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "1000", "OTEL_EXPORTER_OTLP_TIMEOUT": "5"}, "https://d/x", "1s"},
	} {
		url, timeout, err := read(test.env)
		if err != nil || url != test.url || timeout != test.timeout {
			t.Errorf("%v: %q %s, %v", test.env, url, timeout, err)
		}
	}
	_, _, err := read(map[string]string{
		endpoint: "collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_COMPRESSION": "zstd", "OTEL_EXPORTER_OTLP_TIMEOUT": "10s",
		"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere", "OTEL_EXPORTER_OTLP_HEADERS": "secret-value", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=secret%0d%0avalue",
		"OTEL_TRACES_SAMPLER": "jaeger_remote", "OTEL_RESOURCE_ATTRIBUTES": "x",
	})
	if err == nil || strings.Count(err.Error(), "\n") != 7 || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

// A collector that is away is reported once, without its address, which may hold a password.
func TestCollectorAway(t *testing.T) {
	c := newCollector(t)
	c.Close()
	s, stop := tracedSite(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": strings.Replace(c.URL, "http://", "http://user:canary@", 1), "OTEL_EXPORTER_OTLP_TIMEOUT": "100"})
	if res, _, err := s.ask(t, t.Context(), "/login"); err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	stop()
	if line := s.line(t, "traces are lost"); strings.Contains(line, "canary") {
		t.Errorf("logged %s", line)
	}
}
