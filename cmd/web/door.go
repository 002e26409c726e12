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

// door is where connections come in: in the clear, or by TLS with a second address that
// leads there.
type door struct {
	log          *slog.Logger
	listener     net.Listener
	redirect     net.Listener // nil without a second address
	certificates certificates // nil in the clear
	challenges   func(http.Handler) http.Handler
	running      sync.WaitGroup
}

// openDoor reads the certificate and opens the addresses, before anything is touched. The
// base URL that was left out follows from the address.
func openDoor(ctx context.Context, config *Config, log *slog.Logger) (*door, error) {
	listener, err := listen(ctx, config.Addr, "LATCHKEY_ADDR")
	if err != nil {
		return nil, err
	}
	d := &door{log: log, listener: listener, challenges: func(next http.Handler) http.Handler { return next }}
	if config.BaseURL == "" {
		host, port, _ := net.SplitHostPort(listener.Addr().String())
		config.BaseURL = config.defaultBaseURL(host, port)
	}
	if err := d.prepare(ctx, config); err != nil {
		d.shut()
		return nil, err
	}
	return d, nil
}

func (d *door) prepare(ctx context.Context, config *Config) error {
	if config.TLS.pair.Cert != "" {
		pair := config.TLS.pair
		if len(config.TrustedProxies) == 0 {
			pair.Host = config.ownHosts()[0] // a proxy may know this server by another name
		}
		files, err := certs.OpenFiles(pair, d.log, clock)
		if err != nil {
			return err
		}
		d.certificates = files
	}
	if config.TLS.redirectAddr == "" {
		return nil
	}
	redirect, err := listen(ctx, config.TLS.redirectAddr, "LATCHKEY_REDIRECT_ADDR")
	if err == nil {
		d.redirect = redirect
	}
	return err
}

// getCertificates begins to get certificates by ACME where that is set, and keeps all of
// them good until ctx ends; wait ends what is left.
func (d *door) getCertificates(ctx context.Context, config Config, db *store.Store, keys *secrets.Keys) {
	if config.TLS.acme {
		acme := certs.NewACME(certs.Settings{
			Hosts: config.certifiedHosts(), Email: config.TLS.email, Directory: config.TLS.directory, Roots: config.TLS.roots, OverHTTP: d.redirect != nil,
		}, db, keys, d.log, clock)
		d.certificates, d.challenges = acme, acme.Challenges
	}
	if d.certificates != nil {
		d.running.Go(func() { d.certificates.Run(ctx) })
	}
}

func (d *door) wait() {
	d.shut()
	d.running.Wait()
}

// serve serves until the server is shut down.
func (d *door) serve(server *http.Server, w world) error {
	if d.redirect != nil {
		second := newRedirectServer(w, d.challenges)
		go func() { // ends with its listener
			if err := second.Serve(d.redirect); !errors.Is(err, net.ErrClosed) {
				d.log.Error("the second address serves no more", "error", err)
			}
		}()
	}
	if d.certificates == nil {
		return server.Serve(d.listener)
	}
	server.TLSConfig = d.certificates.TLSConfig()
	server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: maxStreams, SendPingTimeout: quietFor, PingTimeout: answerFor, WriteByteTimeout: requestTimeout}
	return server.ServeTLS(d.listener, "", "")
}

// shut closes both addresses, again where they are. What the second one answers takes no time.
func (d *door) shut() {
	_ = d.listener.Close()
	if d.redirect != nil {
		_ = d.redirect.Close()
	}
}
