package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// claimFor is how long other nodes wait for one that is getting a certificate.
	claimFor = 2 * time.Minute
	// firstRetry is doubled with each failure up to lastRetry: authorities count failures.
	firstRetry = time.Minute
	lastRetry  = time.Hour
)

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
