package gateway

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// idlePerUpstream and idleConns bound the connections that wait for the next call.
	idlePerUpstream = 256
	idleConns       = 1024
	idleConnFor     = 90 * time.Second
	// maxAnswerHeader bounds what an upstream sends before the body.
	maxAnswerHeader = 64 << 10
	// expectFor is how long an upstream may take to say 100 Continue.
	expectFor = time.Second
	// pingAfter and pingFor find an HTTP/2 connection that is dead.
	pingAfter = 30 * time.Second
	pingFor   = 15 * time.Second
)

func newTransport(deps Deps) *http.Transport {
	dialer := &net.Dialer{Timeout: deps.Limits.Connect, KeepAlive: 30 * time.Second}
	return &http.Transport{
		// No Proxy: upstreams are the operator's, and reached directly.
		DialContext:           dialer.DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: deps.CAs},
		TLSHandshakeTimeout:   deps.Limits.Connect,
		ResponseHeaderTimeout: deps.Limits.Answer,
		ExpectContinueTimeout: expectFor,
		MaxIdleConns:          idleConns,
		MaxIdleConnsPerHost:   idlePerUpstream,
		IdleConnTimeout:       idleConnFor,
		// What the client and the upstream agree on passes as it is.
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxAnswerHeader,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingFor},
	}
}

// buffers are what answers are copied with.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

// Get is for httputil.ReverseProxy.
func (b *buffers) Get() []byte {
	if held, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return held[:]
	}
	return make([]byte, bufferSize)
}

// Put is for httputil.ReverseProxy.
func (b *buffers) Put(buffer []byte) { b.pool.Put((*[bufferSize]byte)(buffer)) }
