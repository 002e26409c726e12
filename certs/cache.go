package certs

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// Store keeps the state of ACME for all nodes: the account, certificates with their keys, and
// what the authority asks for while it checks a host. Values are sealed.
type Store interface {
	// ACMEState gives models.ErrNotFound for a name that it does not have.
	ACMEState(ctx context.Context, name string) ([]byte, error)
	// SaveACMEState keeps a value until then; zero: for good.
	SaveACMEState(ctx context.Context, name string, sealed []byte, until models.Time) error
	DeleteACMEState(ctx context.Context, name string) error
	// ClaimACMEState takes a name until then, unless somebody has it.
	ClaimACMEState(ctx context.Context, name string, until models.Time) (bool, error)
}

const (
	// cachePatience is for calls that bring no time-out of their own, or autocert's of minutes.
	cachePatience = 10 * time.Second
	// challengeFor is how long what a node that crashed has left behind is kept.
	challengeFor = 24 * time.Hour
)

// cache implements autocert.Cache.
type cache struct {
	store Store
	keys  *secrets.Keys
	log   *slog.Logger
	now   func() time.Time
}

func place(name string) secrets.Place {
	return secrets.Place{Table: "acme_state", Column: "sealed", Row: name}
}

// Get implements autocert.Cache. What cannot be opened is got anew.
func (c cache) Get(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, cachePatience)
	defer cancel()
	sealed, err := c.store.ACMEState(ctx, name)
	if errors.Is(err, models.ErrNotFound) {
		return nil, autocert.ErrCacheMiss
	}
	if err != nil {
		return nil, err
	}
	value, err := c.keys.Open(sealed, place(name))
	if err != nil {
		c.log.Warn("what is stored of ACME cannot be opened and is got anew", "name", name)
		return nil, autocert.ErrCacheMiss
	}
	return []byte(value.Reveal()), nil
}

// reticent is the cache for what anybody may ask: autocert answers with the text of an
// error, and that of the database names servers and users.
type reticent struct{ cache }

// Get implements autocert.Cache.
func (c reticent) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := c.cache.Get(ctx, name)
	if err != nil && !errors.Is(err, autocert.ErrCacheMiss) {
		c.log.Warn("a challenge of ACME was asked for and cannot be looked up", "error", err)
		err = autocert.ErrCacheMiss
	}
	return data, err
}

// Put implements autocert.Cache, which takes no notice of errors.
func (c cache) Put(ctx context.Context, name string, data []byte) error {
	sealed, err := c.keys.Seal(models.NewSecret(string(data)), place(name))
	if err == nil {
		err = c.store.SaveACMEState(ctx, name, sealed, c.until(name))
	}
	if err != nil {
		c.log.Error("a certificate or its challenge was not stored: other nodes and the next start do without", "name", name, "error", err)
	}
	return err
}

func (c cache) until(name string) models.Time {
	if strings.HasSuffix(name, "+token") || strings.HasSuffix(name, "+http-01") {
		return models.At(c.now().Add(challengeFor))
	}
	return 0
}

// Delete implements autocert.Cache.
func (c cache) Delete(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, cachePatience)
	defer cancel()
	return c.store.DeleteACMEState(ctx, name)
}

// has tells whether there is a certificate of a host that is good now.
func (c cache) has(ctx context.Context, host string) bool {
	text, err := c.Get(ctx, host)
	if err != nil {
		return false
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		leaf, err := x509.ParseCertificate(block.Bytes)
		return err == nil && c.now().After(leaf.NotBefore) && c.now().Before(leaf.NotAfter)
	}
	return false
}
