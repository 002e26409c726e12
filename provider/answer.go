package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

const (
	// Skew is how far the provider's clock may be from ours.
	Skew = time.Minute
	// maxSubject is the longest sub of OpenID Connect.
	maxSubject = 255
)

// Person is who came back.
type Person struct {
	// Subject names the person at this provider, and alone does.
	Subject string
	// Email is empty where it has not been verified by the provider.
	Email string
	Name  string
	// ProvenAt is when the person last proved there who they are; zero where the
	// provider does not say.
	ProvenAt models.Time
}

// Answer is what the browser brought back, and what it has to fit.
type Answer struct {
	Code models.Secret
	// Issuer is the parameter of RFC 9207, empty where there was none.
	Issuer string
	// NonceHash is the SHA-256 of the attempt's nonce.
	NonceHash []byte
	Verifier  models.Secret
}

// CheckIssuer refuses an answer that names another issuer, or none where this
// provider always names itself.
func (c *Client) CheckIssuer(ctx context.Context, named string) error {
	known, err := c.metadata(ctx)
	if err != nil {
		return err
	}
	if named != c.Issuer && (named != "" || known.namesItself) {
		return fmt.Errorf("%w: it names another issuer or none", ErrRefused)
	}
	return nil
}

// Finish trades the code for an ID token and reads from that who came back. The
// access token beside it is dropped.
func (c *Client) Finish(ctx context.Context, answer Answer) (Person, error) {
	if err := c.CheckIssuer(ctx, answer.Issuer); err != nil {
		return Person{}, err
	}
	known, err := c.metadata(ctx)
	if err != nil {
		return Person{}, err
	}
	ctx = oidc.ClientContext(ctx, c.http)
	traded, err := known.config.Exchange(ctx, answer.Code.Reveal(), oauth2.VerifierOption(answer.Verifier.Reveal()))
	if err != nil {
		return Person{}, tradeFailed(err)
	}
	raw, ok := traded.Extra("id_token").(string)
	if !ok {
		return Person{}, fmt.Errorf("%w: it holds no ID token", ErrRefused)
	}
	if err := checkHeader(raw); err != nil {
		return Person{}, fmt.Errorf("%w: %s", ErrRefused, brief(err))
	}
	token, err := known.verifier.Verify(ctx, raw)
	if err != nil {
		return Person{}, fmt.Errorf("%w: %s", ErrRefused, brief(err))
	}
	person, err := c.read(token, answer.NonceHash)
	if err != nil {
		return Person{}, fmt.Errorf("%w: %s", ErrRefused, brief(err))
	}
	return person, nil
}

// tradeFailed tells a provider that is away from a code that it does not take. Its
// own text stays out: nobody knows what it holds.
func tradeFailed(err error) error {
	var answered *oauth2.RetrieveError
	if !errors.As(err, &answered) {
		return fmt.Errorf("%w: %s", ErrAway, brief(err))
	}
	status := answered.Response.StatusCode
	if status >= 500 {
		return fmt.Errorf("%w: the token endpoint answered %d", ErrAway, status)
	}
	return fmt.Errorf("%w: the token endpoint answered %d %s", ErrRefused, status, ErrorCode(answered.ErrorCode))
}

// ErrorCode is an error word of the provider where it is a plain one, for the log.
func ErrorCode(word string) string {
	const longest = 40
	if word == "" || len(word) > longest || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "without a plain error code"
	}
	return word
}

// checkHeader refuses an ID token that brings its own key or says where to fetch one.
func checkHeader(raw string) error {
	encoded, _, _ := strings.Cut(raw, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return errors.New("its header cannot be read")
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(text, &header); err != nil {
		return errors.New("its header cannot be read")
	}
	for _, name := range []string{"jku", "jwk", "x5u", "x5c", "crit"} {
		if _, found := header[name]; found {
			return fmt.Errorf("its header holds %s", name)
		}
	}
	return nil
}

// claims are those that go-oidc does not read.
type claims struct {
	AuthorizedParty string   `json:"azp"`
	AuthTime        seconds  `json:"auth_time"`
	Email           string   `json:"email"`
	EmailVerified   verified `json:"email_verified"`
	Name            string   `json:"name"`
}

// verified is also true for the text "true", which some providers write.
type verified bool

// UnmarshalJSON takes whatever is not true for false.
func (v *verified) UnmarshalJSON(text []byte) error {
	*v = string(text) == "true" || string(text) == `"true"`
	return nil
}

// seconds since 1970; some providers write a fraction.
type seconds float64

// read checks what the signature does not say. go-oidc has checked the signature,
// iss, aud, exp and nbf.
func (c *Client) read(token *oidc.IDToken, nonceHash []byte) (Person, error) {
	var more claims
	if err := token.Claims(&more); err != nil {
		return Person{}, errors.New("its claims cannot be read")
	}
	latest := c.now().Add(Skew)
	switch {
	case !secrets.Equal(secrets.Hash(models.NewSecret(token.Nonce)), nonceHash):
		return Person{}, errors.New("its nonce is another one")
	case token.Subject == "" || len(token.Subject) > maxSubject:
		return Person{}, errors.New("its sub is empty or too long")
	case token.IssuedAt.Unix() <= 0 || token.IssuedAt.After(latest):
		return Person{}, errors.New("its iat is missing or ahead")
	case more.AuthorizedParty != "" && more.AuthorizedParty != c.ClientID, more.AuthorizedParty == "" && len(token.Audience) > 1:
		return Person{}, errors.New("its azp is another client")
	}
	person := Person{Subject: token.Subject, Name: more.Name}
	if more.EmailVerified {
		// An address that is none counts as not verified.
		person.Email, _ = models.CheckEmail(more.Email)
	}
	if more.AuthTime > 0 && float64(more.AuthTime) <= float64(latest.Unix()) {
		person.ProvenAt = min(models.At(time.Unix(int64(more.AuthTime), 0)), models.At(c.now()))
	}
	return person, nil
}
