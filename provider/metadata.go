package provider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// algorithms may sign an ID token: with a key pair of the provider, never with a
// secret that others have too, and never with nothing.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// metadata is what a provider publishes about itself, checked.
type metadata struct {
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	// namesItself tells that every answer carries the issuer (RFC 9207).
	namesItself bool
}

// published is the part of it that go-oidc keeps to itself.
type published struct {
	KeysURL       string   `json:"jwks_uri"`
	ClientMethods []string `json:"token_endpoint_auth_methods_supported"`
	NamesItself   bool     `json:"authorization_response_iss_parameter_supported"`
}

// fetch reads the metadata. One of another issuer is refused by go-oidc.
func (c *Client) fetch(ctx context.Context) (*metadata, error) {
	found, err := oidc.NewProvider(ctx, c.Issuer)
	if err != nil {
		return nil, err
	}
	var more published
	if err := found.Claims(&more); err != nil {
		return nil, fmt.Errorf("reading the metadata: %w", err)
	}
	endpoint := found.Endpoint()
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL, more.KeysURL} {
		if err := c.checkEndpoint(address); err != nil {
			return nil, err
		}
	}
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(more.ClientMethods) > 0 && !slices.Contains(more.ClientMethods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &metadata{
		config: oauth2.Config{
			ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), Endpoint: endpoint, RedirectURL: c.redirectURL,
			Scopes: []string{oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeProfile},
		},
		verifier:    found.VerifierContext(ctx, &oidc.Config{ClientID: c.ClientID, SupportedSigningAlgs: algorithms, Now: c.now}),
		namesItself: more.NamesItself,
	}, nil
}

// checkEndpoint wants https, or the issuer's own host where that does without it.
func (c *Client) checkEndpoint(address string) error {
	at, err := url.Parse(address)
	issuer, issuerErr := url.Parse(c.Issuer)
	if err != nil || issuerErr != nil || at.Host == "" || at.User != nil {
		return errors.New("the metadata lacks an address or holds one that cannot be read")
	}
	if at.Scheme != "https" && (at.Scheme != issuer.Scheme || at.Host != issuer.Host) {
		return fmt.Errorf("the metadata names %s, which is not https", at.Host)
	}
	return nil
}

// Origin is the scheme, host and port of the issuer.
func (s Settings) Origin() string {
	at, err := url.Parse(s.Issuer)
	if err != nil {
		return ""
	}
	return at.Scheme + "://" + at.Host
}
