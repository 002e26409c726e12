package provider

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	// callTimeout ends one call, from dialling to the last byte.
	callTimeout = 5 * time.Second
	// maxAnswer is the most that a call reads.
	maxAnswer = 1 << 20
	// maxConnections bounds the calls at once; more wait within their time.
	maxConnections = 8
	maxRedirects   = 3
)

func newHTTP(settings Settings) *http.Client {
	// The zero Transport has no proxy and no time-outs of its own; the client's holds for all.
	return &http.Client{Timeout: callTimeout, CheckRedirect: sameHost, Transport: bounded{&http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: settings.Roots},
		MaxConnsPerHost: maxConnections, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}}}
}

// sameHost follows a redirect to where the call went already, and nowhere else.
func sameHost(r *http.Request, before []*http.Request) error {
	first := before[0].URL
	if r.URL.Scheme != first.Scheme || r.URL.Host != first.Host || len(before) > maxRedirects {
		return errors.New("redirected to another host, or too often")
	}
	return nil
}

// bounded cuts answers that are too long.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = cut{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

type cut struct {
	io.Reader
	io.Closer
}

// ReadRoots reads a file of certificates in PEM.
func ReadRoots(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator's own setting
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("the file holds no certificate in PEM")
	}
	return roots, nil
}
