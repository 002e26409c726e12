package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/latchkey/latchkey/certs"
)

// checkCertificate looks at what Latchkey itself encrypts connections with.
func checkCertificate(ctx context.Context, d doctor, say func(verdict, string)) {
	if d.config.TLS.acme {
		checkACME(ctx, d, say)
		return
	}
	if !d.config.TLS.on() {
		return
	}
	pair := d.config.certificatePair()
	files, err := certs.OpenFiles(pair, slog.New(slog.DiscardHandler), clock)
	if err != nil {
		say(wrong, err.Error())
		return
	}
	switch left := files.ValidUntil().Sub(d.now); {
	case left <= 0:
		say(wrong, pair.Cert+" has ended, and clients refuse it: renew it")
	case left < soonEnds:
		say(warning, fmt.Sprintf("%s ends in %d days: see why it was not renewed", pair.Cert, int(left/(24*time.Hour))))
	default:
		say(fine, fmt.Sprintf("%s is good for %d days", pair.Cert, int(left/(24*time.Hour))))
	}
}

// checkACME reads the directory alone, and orders nothing.
func checkACME(ctx context.Context, d doctor, say func(verdict, string)) {
	directory := d.config.TLS.directory
	client := &http.Client{Timeout: askFor, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: d.config.TLS.roots},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, directory, nil)
	if err != nil {
		say(wrong, "LATCHKEY_ACME_DIRECTORY: "+err.Error())
		return
	}
	response, err := client.Do(request)
	if err != nil {
		say(wrong, "the ACME server "+directory+" cannot be reached: "+why(err))
		return
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, longestAnswer)) // what it says is read at the start
	if response.StatusCode != http.StatusOK {
		say(wrong, fmt.Sprintf("%s answers %d: correct LATCHKEY_ACME_DIRECTORY", directory, response.StatusCode))
		return
	}
	say(fine, "the ACME server "+directory+" answers")
}
