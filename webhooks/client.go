package webhooks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// sendTimeout is for one try, from looking up the name to the end of the answer.
	sendTimeout = 10 * time.Second
	dialTimeout = 5 * time.Second
	// maxAnswer is how much of an answer is read, and thrown away.
	maxAnswer  = 1 << 10
	maxHeaders = 16 << 10
)

// client posts deliveries. It follows no redirect, asks no proxy and keeps no
// connection: each one passes the check of where it leads.
type client struct {
	policy  Policy
	http    *http.Client
	timeout time.Duration
}

// Option changes a client, for tests.
type Option func(*http.Transport, *net.Dialer)

// WithRoots trusts these authorities instead of the system's.
func WithRoots(roots *x509.CertPool) Option {
	return func(t *http.Transport, _ *net.Dialer) { t.TLSClientConfig.RootCAs = roots }
}

// WithResolver looks names up there instead of with the system.
func WithResolver(resolver *net.Resolver) Option {
	return func(_ *http.Transport, d *net.Dialer) { d.Resolver = resolver }
}

func newClient(policy Policy, options ...Option) *client {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: -1, ControlContext: policy.dialed}
	transport := &http.Transport{
		DialContext: dialer.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: dialTimeout,
		MaxResponseHeaderBytes: maxHeaders, DisableCompression: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	for _, option := range options {
		option(transport, dialer)
	}
	return &client{policy: policy, timeout: sendTimeout, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// send tries one delivery and tells what came of it, in words for the team: nothing of
// the answer but its status.
func (c *client) send(ctx context.Context, d models.DueDelivery, secret models.Secret, now models.Time) (status int, problem string) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	at, err := url.Parse(d.URL)
	if err != nil {
		return 0, problemOf(err)
	}
	// The settings may have changed since the address was entered.
	if !c.policy.Private && (at.Scheme != "https" || c.policy.own(at)) {
		return 0, problemOf(errRefused)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, strings.NewReader(d.Body))
	if err != nil {
		return 0, problemOf(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Latchkey-Webhooks")
	if err := sign(r.Header, secret, d.ID, now, d.Body); err != nil {
		return 0, "The signing secret cannot be read. Rotate it."
	}
	response, err := c.http.Do(r)
	if err != nil {
		return 0, problemOf(err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // what it says does not matter
	return response.StatusCode, problemOfStatus(response.StatusCode)
}

func problemOfStatus(status int) string {
	answered := "It answered " + strconv.Itoa(status)
	if text := http.StatusText(status); text != "" {
		answered += " " + text
	}
	switch {
	case status >= 200 && status < 300:
		return ""
	case status >= 300 && status < 400:
		return answered + ". Redirects are not followed: enter the address that it leads to."
	}
	return answered + "."
}

// problemOf tells in plain words why there was no answer. The error itself may name
// addresses inside the network, which a team has not to know.
func problemOf(err error) string {
	var name *net.DNSError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errRefused):
		return "The address leads to a private network or to Latchkey itself, which is not allowed."
	case errors.As(err, &name) && !name.IsTimeout:
		return "The name of the host was not found."
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "The receiver does not speak TLS there."
	case errors.As(err, &authority):
		return "The receiver’s certificate is not signed by an authority that is known."
	case errors.As(err, &host):
		return "The receiver’s certificate is for another host."
	case errors.As(err, &invalid), errors.As(err, &verification):
		return "The receiver’s certificate is not valid."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "The receiver refused the connection."
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return "No answer came in time."
	}
	return "The connection broke before an answer came."
}

func isTimeout(err error) bool {
	var slow net.Error
	return errors.As(err, &slow) && slow.Timeout()
}
