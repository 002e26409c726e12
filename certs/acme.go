package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/latchkey/latchkey/secrets"
)

// LetsEncrypt is the directory of the authority that is asked where none is named.
const LetsEncrypt = autocert.DefaultACMEDirectory

// callTimeout is for one request to the authority.
const callTimeout = 30 * time.Second

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
