package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var loopbacks atomic.Int32

// loopback is an address of this machine that no other test uses, of which Linux
// has 127.0.0.0/8. A free port of it stays free.
func loopback() string {
	return fmt.Sprintf("127.88.%d.%d", os.Getpid()%256, loopbacks.Add(1))
}

func freeAddr(t testing.TB) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", loopback()+":0")
	must(t, err)
	must(t, listener.Close())
	return listener.Addr().String()
}

// certificate writes one for all names and returns who trusts it.
func certificate(t testing.TB, p around) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{dashboardHost, apiHost, gatewayHost}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(p.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(p.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{RootCAs: roots, ServerName: dashboardHost, MinVersion: tls.VersionTLS12}
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
