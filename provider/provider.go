// Package provider speaks with the one OpenID provider that the operator named: it
// leads a browser there by the code flow with PKCE, and tells from the ID token who
// came back. It knows no accounts of ours.
package provider

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

var (
	// ErrAway means that the provider does not answer, or not with what a provider
	// answers. What was begun may work later.
	ErrAway = errors.New("the OpenID provider cannot be used")
	// ErrRefused means that what came back does not prove who somebody is.
	ErrRefused = errors.New("the answer of the OpenID provider is refused")
)

// Settings is what the operator says about the provider.
type Settings struct {
	// Issuer is its name, an address, to the last letter.
	Issuer       string
	ClientID     string
	ClientSecret models.Secret
	// Name is what people call it.
	Name      string
	Newcomers models.Newcomers
	// Roots are the certificates that sign the provider's own, nil for the system's.
	Roots *x509.CertPool
}

// Client is Latchkey at the provider. It is safe for concurrent use.
type Client struct {
	Settings
	redirectURL string
	http        *http.Client
	now         func() time.Time

	// mu guards what follows, and is not held while the provider is asked.
	mu       sync.Mutex
	known    *metadata
	freshTo  time.Time
	failed   error
	failedTo time.Time
}

const (
	// knownFor is how long metadata is used before it is asked for again.
	knownFor = time.Hour
	// failedFor is how long a provider that failed is left alone.
	failedFor = 5 * time.Second
)

// New makes a client that browsers come back to at redirectURL. It asks the provider
// nothing yet: one that is down does not stop a start.
func New(settings Settings, redirectURL string, now func() time.Time) *Client {
	return &Client{Settings: settings, redirectURL: redirectURL, now: now, http: newHTTP(settings)}
}

// Attempt is what one way to the provider and back is known by. All of it is secret
// to the browser that goes there.
type Attempt struct{ State, Nonce, Verifier models.Secret }

// Begin returns an attempt and the address to lead the browser to. again asks the
// provider to take a proof of identity now, whoever is signed in there.
func (c *Client) Begin(ctx context.Context, again bool) (Attempt, string, error) {
	known, err := c.metadata(ctx)
	if err != nil {
		return Attempt{}, "", err
	}
	attempt := Attempt{State: secrets.Code(), Nonce: secrets.Code(), Verifier: models.NewSecret(secrets.RandomText())}
	options := []oauth2.AuthCodeOption{oidc.Nonce(attempt.Nonce.Reveal()), oauth2.S256ChallengeOption(attempt.Verifier.Reveal())}
	if again {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return attempt, known.config.AuthCodeURL(attempt.State.Reveal(), options...), nil
}

// metadata returns what the provider publishes about itself. Where it does not
// answer, what it said before goes on.
func (c *Client) metadata(ctx context.Context) (*metadata, error) {
	c.mu.Lock()
	known, freshTo, failed, failedTo := c.known, c.freshTo, c.failed, c.failedTo
	c.mu.Unlock()
	now := c.now()
	if known != nil && now.Before(freshTo) {
		return known, nil
	}
	if failed != nil && now.Before(failedTo) {
		return known, away(known, failed)
	}
	// Whoever leaves must not make it look as if the provider had failed.
	fetched, err := c.fetch(oidc.ClientContext(context.WithoutCancel(ctx), c.http))
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed, c.failedTo = err, now.Add(failedFor)
		return c.known, away(c.known, err)
	}
	c.known, c.freshTo, c.failed = fetched, now.Add(knownFor), nil
	return fetched, nil
}

func away(known *metadata, err error) error {
	if known != nil {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrAway, brief(err))
}

// brief is an error without the page that a provider may have put into it.
func brief(err error) string {
	const longest = 200
	text := err.Error()
	return text[:min(len(text), longest)]
}

// Check asks the provider for its metadata and reads it as a sign-in would.
func (c *Client) Check(ctx context.Context) error {
	if _, err := c.fetch(oidc.ClientContext(ctx, c.http)); err != nil {
		return fmt.Errorf("%w: %s", ErrAway, brief(err))
	}
	return nil
}
