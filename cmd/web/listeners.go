package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/latchkey/latchkey/certs"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

const (
	// maxStreams of HTTP/2 may be open on one connection; as many handlers run for it, and
	// a client that opens and resets streams faster than they end is cut off.
	maxStreams = 100
	// quietFor is how long an HTTP/2 connection may say nothing before it is asked whether it
	// is alive, and answerFor how long it has to say so.
	quietFor  = time.Minute
	answerFor = 15 * time.Second
)

// certificates is what the server shows who it is with.
type certificates interface {
	TLSConfig() *tls.Config
	// Run keeps them good until ctx ends.
	Run(ctx context.Context)
}

// listeners are where connections come in: in the clear, or by TLS with a second address that
// leads there.
type listeners struct {
	log          *slog.Logger
	public       net.Listener
	redirect     net.Listener // nil without a second address
	certificates certificates // nil in the clear
	challenges   func(http.Handler) http.Handler
	running      sync.WaitGroup
}

// openListeners reads the certificate and opens the addresses, before anything is touched. The
// base URL that was left out follows from the address.
func openListeners(ctx context.Context, config *Config, log *slog.Logger) (*listeners, error) {
	listener, err := listen(ctx, config.Addr, "LATCHKEY_ADDR")
	if err != nil {
		return nil, err
	}
	l := &listeners{log: log, public: listener, challenges: func(next http.Handler) http.Handler { return next }}
	if config.BaseURL == "" {
		host, port, _ := net.SplitHostPort(listener.Addr().String())
		config.BaseURL = config.defaultBaseURL(host, port)
	}
	if err := l.prepare(ctx, config); err != nil {
		l.shut()
		return nil, err
	}
	return l, nil
}

func (l *listeners) prepare(ctx context.Context, config *Config) error {
	if config.TLS.pair.Cert != "" {
		files, err := certs.OpenFiles(config.certificatePair(), l.log, clock)
		if err != nil {
			return err
		}
		l.certificates = files
	}
	if config.TLS.redirectAddr == "" {
		return nil
	}
	redirect, err := listen(ctx, config.TLS.redirectAddr, "LATCHKEY_REDIRECT_ADDR")
	if err == nil {
		l.redirect = redirect
	}
	return err
}

// getCertificates begins to get certificates by ACME where that is set, and keeps all of
// them good until ctx ends; wait ends what is left.
func (l *listeners) getCertificates(ctx context.Context, config Config, db *store.Store, keys *secrets.Keys) {
	if config.TLS.acme {
		acme := certs.NewACME(certs.Settings{
			Hosts: config.certifiedHosts(), Email: config.TLS.email, Directory: config.TLS.directory, Roots: config.TLS.roots, OverHTTP: l.redirect != nil,
		}, db, keys, l.log, clock)
		l.certificates, l.challenges = acme, acme.Challenges
	}
	if l.certificates != nil {
		l.running.Go(func() { l.certificates.Run(ctx) })
	}
}

func (l *listeners) wait() {
	l.shut()
	l.running.Wait()
}

// serve serves until the server is shut down.
func (l *listeners) serve(server *http.Server) error {
	if l.certificates == nil {
		return server.Serve(l.public)
	}
	server.TLSConfig = l.certificates.TLSConfig()
	server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: maxStreams, SendPingTimeout: quietFor, PingTimeout: answerFor, WriteByteTimeout: requestTimeout}
	return server.ServeTLS(l.public, "", "")
}

// lead serves the second address where there is one.
func (l *listeners) lead(w world) {
	if l.redirect == nil {
		return
	}
	second := newRedirectServer(w, l.challenges)
	go func() { // ends with its listener
		if err := second.Serve(l.redirect); !errors.Is(err, net.ErrClosed) {
			l.log.Error("the second address serves no more", "error", err)
		}
	}()
}

// shut closes both addresses, again where they are. What the second one answers takes no time.
func (l *listeners) shut() {
	_ = l.public.Close()
	if l.redirect != nil {
		_ = l.redirect.Close()
	}
}
