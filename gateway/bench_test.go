package gateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/latchkey/latchkey/gateway"
)

// sink takes an answer and keeps nothing of it.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// One call through the gateway, and through nothing but httputil.ReverseProxy.
func BenchmarkCall(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer upstream.Close()
	g := newGate(b, "/v1="+upstream.URL, func(d *gateway.Deps) { d.Log = slog.New(slog.DiscardHandler) })
	g.meter.ended = make(chan counted, 1<<20)
	target, err := url.Parse(upstream.URL)
	if err != nil {
		b.Fatal(err)
	}
	bare := &httputil.ReverseProxy{
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
	}
	for name, serve := range map[string]func(http.ResponseWriter, *http.Request){
		"gateway": func(w http.ResponseWriter, r *http.Request) { g.gateway.Serve(w, r, g.from) },
		"bare":    bare.ServeHTTP,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/v1/x?a=1", nil)
					r.Header = http.Header{"Authorization": {"Bearer " + value}, "User-Agent": {"bench"}, "Accept": {"*/*"}}
					serve(&sink{http.Header{}}, r)
				}
			})
		})
	}
}
