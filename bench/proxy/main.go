// Command proxy is the bar that bench measures the gateway beside: a bare
// httputil.ReverseProxy before the server that its argument names.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

// idle is how many connections wait for the next request, as in the gateway: with the
// standard two the measurement would be of new connections.
const idle = 256

func main() {
	target, err := url.Parse(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // there is nothing to wait for
	if err != nil {
		log.Fatal(err)
	}
	_, _ = fmt.Fprintln(os.Stdout, "bare proxy on "+listener.Addr().String()) // whoever waits for it will say
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{MaxIdleConns: idle, MaxIdleConnsPerHost: idle, DisableCompression: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
		},
	}
	log.Fatal(http.Serve(listener, proxy)) //nolint:gosec // a benchmark has no slow clients
}
