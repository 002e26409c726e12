package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// LetsEncrypt is the directory of the authority that is asked where none is named.
const LetsEncrypt = autocert.DefaultACMEDirectory

const (
	// claimFor is how long other nodes wait for one that is getting a certificate.
	claimFor = 2 * time.Minute
	// firstRetry is doubled with each failure up to lastRetry: authorities count failures.
	firstRetry = time.Minute
	lastRetry  = time.Hour
	// callTimeout is for one request to the authority.
	callTimeout = 30 * time.Second
)

// Settings name the authority and what it shall certify. Whoever fills them in has read its
// terms of service.
type Settings struct {
	Hosts     []string // lower case, in ASCII; the first is shown to clients that name none
	Email     string
	Directory string
	// Roots sign the certificate of the authority's own server; nil for those that the system knows.
	Roots *x509.CertPool
	// OverHTTP tells that Challenges answers on port 80, where the check on port 443 fails.
	OverHTTP bool
}

// ACME shows certificates that it gets, and renews them. It is safe for concurrent use.
type ACME struct {
	settings Settings
	client   *http.Client
	cache    cache
	hosts    []*host
	log      *slog.Logger
	now      func() time.Time
}

// host is one name that a certificate is for.
type host struct {
	name string
	// manager is of this host alone, and another one after each failure: autocert remembers
	// those for a minute, in which it does not look for what other nodes have got.
	manager atomic.Pointer[autocert.Manager]
	// ready is set once there is a certificate; autocert renews it from then on.
	ready atomic.Bool

	// Of Run alone.
	retryAt time.Time
	wait    time.Duration
	// unusable tells that it was a stored certificate that failed.
	unusable bool
	ending   ending
}

var errNotReady = errors.New("there is no certificate for this host yet")

// NewACME makes it. Run gets the certificates.
func NewACME(settings Settings, store Store, keys *secrets.Keys, log *slog.Logger, now func() time.Time) *ACME {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: settings.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: callTimeout, IdleConnTimeout: callTimeout,
	}
	a := &ACME{
		settings: settings, client: &http.Client{Timeout: callTimeout, Transport: transport},
		cache: cache{store, keys, log, now}, log: log, now: now,
	}
	for _, name := range settings.Hosts {
		h := &host{name: name, ending: ending{log: log, now: now, advice: "the authority has not renewed it, look whether it can reach this host on port 443"}}
		h.manager.Store(a.newManager())
		a.hosts = append(a.hosts, h)
	}
	return a
}

func (a *ACME) newManager() *autocert.Manager {
	manager := &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: a.cache, Email: a.settings.Email,
		Client: &acme.Client{DirectoryURL: a.settings.Directory, UserAgent: "latchkey", HTTPClient: a.client},
	}
	if a.settings.OverHTTP {
		manager.HTTPHandler(nil) // which tells it that there is one
	}
	return manager
}

// TLSConfig is for the server: TLS 1.2 or newer, with Go's own list of ciphers.
func (a *ACME) TLSConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: a.certificate, NextProtos: []string{"h2", "http/1.1", acme.ALPNProto}}
}

// Challenges answers what the authority asks over http, and leaves the rest to next.
func (a *ACME) Challenges(next http.Handler) http.Handler {
	return (&autocert.Manager{Cache: reticent{a.cache}}).HTTPHandler(next)
}

// certificate answers a handshake. It orders none: whoever connects could have it order as
// often as the authority allows.
func (a *ACME) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	h := a.find(hello.ServerName)
	if h == nil {
		return nil, errors.New("no certificate is for the host that was asked for")
	}
	if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acme.ALPNProto {
		return h.manager.Load().GetCertificate(hello)
	}
	if !h.ready.Load() {
		return nil, errNotReady
	}
	return h.get()
}

func (a *ACME) find(name string) *host {
	if name == "" {
		return a.hosts[0]
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, h := range a.hosts {
		if h.name == name {
			return h
		}
	}
	return nil
}

// get asks for an ECDSA certificate whatever the client takes: otherwise autocert would order
// an RSA one too.
func (h *host) get() (*tls.Certificate, error) {
	return h.manager.Load().GetCertificate(&tls.ClientHelloInfo{ServerName: h.name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}})
}

// getUntil leaves an order behind that ctx ends before: autocert gives it five minutes.
func (h *host) getUntil(ctx context.Context) (*tls.Certificate, error) {
	type result struct {
		cert *tls.Certificate
		err  error
	}
	done := make(chan result, 1)
	go func() {
		cert, err := h.get()
		done <- result{cert, err}
	}()
	select {
	case r := <-done:
		return r.cert, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Run gets the certificates that are missing, and looks for the end of those that are there,
// until ctx ends.
func (a *ACME) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		for _, h := range a.hosts {
			a.look(ctx, h)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (a *ACME) look(ctx context.Context, h *host) {
	if h.ready.Load() {
		if cert, err := h.get(); err == nil {
			h.ending.look(ctx, cert.Leaf)
		}
		return
	}
	stored := a.cache.has(ctx, h.name)
	if a.now().Before(h.retryAt) && (!stored || h.unusable) {
		return
	}
	if !stored {
		if !a.claim(ctx, h) {
			return
		}
		defer func() { _ = a.cache.Delete(context.WithoutCancel(ctx), claimName(h)) }() // it ends by itself
	}
	cert, err := h.getUntil(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		h.wait = min(max(firstRetry, 2*h.wait), lastRetry)
		h.retryAt, h.unusable = a.now().Add(h.wait), stored
		h.manager.Store(a.newManager())
		a.log.Error("no certificate could be got", "host", h.name, "again_in", h.wait.String(), "error", err)
		return
	}
	h.ready.Store(true)
	a.log.Info("certificate ready", "host", h.name, "serial", cert.Leaf.SerialNumber.Text(16), "ends", cert.Leaf.NotAfter.UTC().Format(time.RFC3339))
}

// claim makes sure that one node orders: the others find what it stores.
func (a *ACME) claim(ctx context.Context, h *host) bool {
	claimed, err := a.cache.store.ClaimACMEState(ctx, claimName(h), models.At(a.now().Add(claimFor)))
	if err != nil && ctx.Err() == nil {
		a.log.Warn("no certificate is ordered while the database is away", "host", h.name, "error", fmt.Errorf("claiming the order: %w", err))
	}
	return claimed
}

func claimName(h *host) string { return h.name + "+order" }
