package guard_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
)

type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header       { return n.header }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

// The aim: 100,000 checks a second on one core, the middleware included.
func BenchmarkMiddleware(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	w := newWorld(b)
	g := w.guardAt(b, w.listener.URL)
	const many = 1000
	requests := make([]*http.Request, many)
	for i := range requests {
		_, value := w.token(b)
		w.remembered(b, api(g), value)
		requests[i] = httptest.NewRequest(http.MethodGet, "/orders", nil) //nolint:noctx // it goes nowhere
		requests[i].Header.Set("Authorization", "Bearer "+value)
	}
	handler := g.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	before := w.asked()
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		handler.ServeHTTP(nowhere{http.Header{}}, requests[i%many])
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
	b.ReportMetric(float64(w.asked()-before), "asked")
}

// Beside it: Check alone, from all cores.
func BenchmarkCheck(b *testing.B) {
	w := newWorld(b)
	g := w.guardAt(b, w.listener.URL)
	_, value := w.token(b)
	w.remembered(b, api(g), value)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := g.Check(b.Context(), value); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
}
