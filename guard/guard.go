// Package guard lets an HTTP API check Latchkey's access tokens in its own process: it
// asks once for each token, remembers the answer while it hears of revocations, and
// refuses a token within a second of its end. It depends on the standard library alone.
package guard

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The errors that Check returns, wrapped.
var (
	// ErrRefused means that the token is not good: unknown, expired, revoked.
	ErrRefused = errors.New("the token is not good")
	// ErrUnavailable means that Latchkey could not say whether the token is good.
	ErrUnavailable = errors.New("nobody can say whether the token is good")
)

// Config says where Latchkey is and who asks.
type Config struct {
	// BaseURL is the address of Latchkey: https://account.example.com.
	BaseURL string
	// ClientID and ClientSecret are those of a resource server: latchkey resource-server add.
	ClientID, ClientSecret string
	// Scopes are those that Middleware asks for, none for any good token.
	Scopes []string
	// Realm stands in WWW-Authenticate; "api" where it is empty.
	Realm string
	// HTTPClient makes the requests, http.Client with a transport of its own where it is nil.
	HTTPClient *http.Client
	// CacheSize bounds how many tokens are remembered, 100,000 where it is zero.
	CacheSize int
	// MaxAge is after how long a token is asked about again though nothing was heard, so that
	// Latchkey's pages show when it was used last; 5 minutes where it is zero.
	MaxAge time.Duration
	// Timeout bounds one question; 5 seconds where it is zero.
	Timeout time.Duration
	// PlainHTTP allows a BaseURL with http:// that leads off this machine, for networks that
	// encrypt by themselves.
	PlainHTTP bool
	// Log is told when the revocations cannot be followed; slog.Default() where it is nil.
	Log *slog.Logger
}

// Guard checks tokens. It is safe for concurrent use.
type Guard struct {
	base, authorization, realm string
	scopes                     []string
	asking, following          *http.Client
	idle                       func()
	timeout                    time.Duration
	log                        *slog.Logger
	cache                      *cache

	stop    context.CancelFunc
	ctx     context.Context // the guard's own life, which outlasts every caller
	running sync.WaitGroup

	slots chan struct{}
	// heldUntil is until when nothing is asked: Latchkey refuses this guard.
	heldUntil atomic.Int64
	// mu guards the others.
	mu      sync.Mutex
	closed  bool
	flights map[key]*flight
	// refused remembers for a moment what is not good.
	refused map[key]int64
}

// New returns a guard that follows the revocations until Close. It does not wait for
// Latchkey: one that is away is found when it is back.
func New(config Config) (*Guard, error) {
	base, err := checkConfig(config)
	if err != nil {
		return nil, err
	}
	client, idle := config.HTTPClient, func() {}
	if client == nil {
		transport := newTransport()
		client, idle = &http.Client{Transport: transport}, transport.CloseIdleConnections
	}
	asking, following := *client, *client
	asking.CheckRedirect, following.CheckRedirect = noRedirect, noRedirect
	following.Timeout = 0
	pair := url.QueryEscape(config.ClientID) + ":" + url.QueryEscape(config.ClientSecret)
	g := &Guard{
		base: base, authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)),
		realm: or(config.Realm, "api"), scopes: config.Scopes, asking: &asking, following: &following, idle: idle,
		timeout: or(config.Timeout, 5*time.Second), log: config.Log,
		cache: newCache(or(config.CacheSize, 100_000), or(config.MaxAge, 5*time.Minute)),
		slots: make(chan struct{}, maxAsked), flights: map[key]*flight{}, refused: map[key]int64{},
	}
	if g.log == nil {
		g.log = slog.Default()
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.running.Go(g.follow)
	return g, nil
}

// Close ends the guard: from then on no token is good.
func (g *Guard) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.stop()
	g.running.Wait()
	g.cache.distrust()
	g.idle()
}

func checkConfig(config Config) (base string, err error) {
	u, err := url.Parse(config.BaseURL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("guard: BaseURL is not an address such as https://account.example.com: %q", config.BaseURL)
	case u.Scheme == "http" && !config.PlainHTTP && !thisMachine(u.Hostname()):
		return "", errors.New("guard: tokens would be sent in the clear: use https:// in BaseURL, or set PlainHTTP where the network encrypts")
	case config.ClientID == "" || config.ClientSecret == "":
		return "", errors.New("guard: ClientID and ClientSecret are needed: latchkey resource-server add prints them")
	case config.CacheSize < 0 || config.MaxAge < 0 || config.Timeout < 0:
		return "", errors.New("guard: CacheSize, MaxAge and Timeout cannot be negative")
	}
	for _, scope := range config.Scopes {
		if !isScope(scope) {
			return "", fmt.Errorf("guard: %q cannot be a scope", scope)
		}
	}
	return strings.TrimSuffix(config.BaseURL, "/"), nil
}

func thisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConns: 2 * maxAsked, MaxIdleConnsPerHost: maxAsked, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
	}
}

// noRedirect keeps tokens and credentials from another address.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
