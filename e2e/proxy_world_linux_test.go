package e2e

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"testing"

	"github.com/latchkey/latchkey/certs/certstest"
	"github.com/latchkey/latchkey/e2e/harness"
	"github.com/latchkey/latchkey/gateway/gatewaytest"
)

const (
	dashboardHost = "account.example.com"
	apiHost       = "api.example.com"
	gatewayHost   = "gateway.example.com"
)

// edge is a proxy between a client, Latchkey and an API.
type edge struct {
	t        testing.TB
	proxy    proxy
	around   around
	trust    *tls.Config
	latchkey *server
	api      *api
	behind   *gatewaytest.Upstream // the gateway
	printed  *harness.Process
	ana      *client // signed in through the proxy
	http     *http.Client
	from     string // the client's address
	good     string // a token with scope api
	wide     string // a token with scopes api and reports
}

func newEdge(t testing.TB, x proxy) *edge {
	t.Helper()
	// Not t.TempDir: nginx's workers are another user.
	dir, err := os.MkdirTemp("", "latchkey-e2e-")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	must(t, os.Chmod(dir, 0o755))
	e := &edge{t: t, proxy: x, api: newAPI(t), behind: gatewaytest.New(t), from: loopback()}
	e.around = around{
		dir: dir, listen: harness.FreeAddr(t), latchkey: harness.FreeAddr(t), upstream: e.api.addr,
	}
	authority := certstest.New(t)
	e.around.cert, e.around.key = authority.Pair(t, dir, dashboardHost, apiHost, gatewayHost)
	e.trust = authority.Trust(dashboardHost)
	data := t.TempDir()
	addUser(t, data, ownerEmail, "Ana Ruiz", "Northwind", "owner")
	e.latchkey = e.serve(data)
	e.printed = x.start(t, e.around, e.trust)
	e.http = &http.Client{Transport: e.transport(false), Timeout: 2 * patience}

	e.ana = newClient(t, "https://"+dashboardHost)
	e.ana.http.Transport = e.transport(true)
	if got := e.ana.post("/login", url.Values{"email": {ownerEmail}, "password": {password}}); got.path != applications {
		t.Fatalf("signing in through %s: %d on %s\n%s", x.name, got.status, got.path, e.printed.Said())
	}
	e.good = e.ana.reveal(e.ana.generate(e.ana.create("Trading bot"), "laptop"))
	app := e.ana.deed(applications, url.Values{"name": {"Reporter"}, "lifespan": {"18000"}, "scopes": {"api", "reports"}}).path
	e.wide = e.ana.reveal(e.ana.generate(app, "laptop"))
	return e
}

// as is Ana in a part of the test.
func (e *edge) as(t testing.TB) *client {
	ana := *e.ana
	ana.t = t
	return &ana
}

// serve starts Latchkey where the proxy looks for it.
func (e *edge) serve(dir string) *server {
	e.t.Helper()
	cmd := exec.CommandContext(context.Background(), binary, append(places(dir), "--addr", e.around.latchkey,
		"--base-url", "https://"+dashboardHost, "--trusted-proxies", "127.0.0.1/32", "--scopes", "api,reports",
		"--gateway-host", gatewayHost, "--upstreams", "/="+e.behind.URL+";ws")...)
	s := &server{Process: harness.Start(e.t, cmd), t: e.t, dir: dir, base: "http://" + e.around.latchkey}
	e.t.Cleanup(s.stopped)
	eventually(e.t, func() string {
		conn, err := (&net.Dialer{}).DialContext(e.t.Context(), "tcp", e.around.latchkey)
		if err != nil {
			return "Latchkey does not listen: " + err.Error() + s.Stderr.String()
		}
		_ = conn.Close()
		return ""
	})
	return s
}

// transport reaches the proxy under any host name, from the client's address.
func (e *edge) transport(http2 bool) *http.Transport {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(e.from)}}
	transport := &http.Transport{
		TLSClientConfig: e.trust.Clone(), ForceAttemptHTTP2: http2,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, e.around.listen)
		},
	}
	transport.TLSClientConfig.ServerName = "" // the one of the address
	e.t.Cleanup(transport.CloseIdleConnections)
	return transport
}
