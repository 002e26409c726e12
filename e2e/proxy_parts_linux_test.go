package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var loopbacks atomic.Int32

// loopback is an address of this machine that no other test uses, of which Linux
// has 127.0.0.0/8.
func loopback() string {
	return fmt.Sprintf("127.88.%d.%d", os.Getpid()%256, loopbacks.Add(1))
}

// api is what the proxy protects. It remembers what reached it.
type api struct {
	addr string
	mu   sync.Mutex
	got  []arrival
}

type arrival struct {
	method, uri, body string
	header            http.Header
}

func newAPI(t testing.TB) *api {
	t.Helper()
	a := &api{}
	site := httptest.NewServer(a)
	t.Cleanup(site.Close)
	a.addr = strings.TrimPrefix(site.URL, "http://")
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = []byte(err.Error())
	}
	a.mu.Lock()
	a.got = append(a.got, arrival{r.Method, r.RequestURI, string(body), r.Header})
	a.mu.Unlock()
	w.Header().Set("X-Own", "canary-in-an-answer")
	if r.URL.Path == "/own-refusal" {
		w.Header().Set("WWW-Authenticate", "Own")
		w.WriteHeader(http.StatusUnauthorized)
	}
	_, _ = io.WriteString(w, "of the API")
}

// take returns what has reached the API since it was asked last.
func (a *api) take() []arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	got := a.got
	a.got = nil
	return got
}
