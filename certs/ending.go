package certs

import (
	"context"
	"crypto/x509"
	"log/slog"
	"time"
)

// ending says in the log that a certificate ends soon, once a day.
type ending struct {
	log    *slog.Logger
	now    func() time.Time
	advice string
	leaf   *x509.Certificate
	told   time.Time
}

const soon = 14 * 24 * time.Hour

// look warns 14 days before the end, of a certificate that lives shorter in the last fifth
// of its life.
func (e *ending) look(ctx context.Context, leaf *x509.Certificate) {
	now := e.now()
	if left := leaf.NotAfter.Sub(now); left > min(soon, leaf.NotAfter.Sub(leaf.NotBefore)/5) || e.leaf == leaf && now.Sub(e.told) < 24*time.Hour {
		return
	}
	e.leaf, e.told = leaf, now
	level, text := slog.LevelWarn, "the certificate ends soon: "+e.advice
	if now.After(leaf.NotAfter) {
		level, text = slog.LevelError, "the certificate has ended, clients refuse it: "+e.advice
	}
	e.log.Log(ctx, level, text, "names", leaf.DNSNames, "ends", leaf.NotAfter.UTC().Format(time.RFC3339))
}
