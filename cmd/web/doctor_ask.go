package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/latchkey/latchkey/oauth"
)

const (
	askFor = 5 * time.Second
	// longestAnswer is more than the metadata takes.
	longestAnswer = 64 << 10
)

// answer is what came when Latchkey was asked for at an address.
type answer struct {
	// issuer is the base URL of the Latchkey that answered, empty where something else did.
	issuer string
	status int
	// wantsTLS tells that plain HTTP was sent to a port that speaks TLS.
	wantsTLS bool
	// validUntil is when the first certificate ends, zero without TLS.
	validUntil time.Time
}

// ask asks for the metadata at base, on a connection to addr, or to where base leads if
// that is empty.
func ask(ctx context.Context, base, addr string) (answer, error) {
	got, err := fetch(ctx, base+oauth.MetadataPath, addr)
	if err != nil {
		return answer{}, err
	}
	return readAnswer(got), nil
}

// fetched is what came from an address.
type fetched struct {
	status int
	text   string
	// validUntil is when the certificate ends, zero without TLS.
	validUntil time.Time
}

// fetch gets what lies at address, on a connection to addr if that is not empty. It follows
// no redirect and goes by no proxy.
func fetch(ctx context.Context, address, addr string) (fetched, error) {
	dialer := &net.Dialer{Timeout: askFor}
	client := &http.Client{
		Timeout:       askFor,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if addr != "" {
					address = addr
				}
				return dialer.DialContext(ctx, network, address)
			},
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fetched{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return fetched{}, err
	}
	defer response.Body.Close()
	got := fetched{status: response.StatusCode}
	if response.TLS != nil && len(response.TLS.PeerCertificates) > 0 {
		got.validUntil = response.TLS.PeerCertificates[0].NotAfter
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	got.text = string(text)
	return got, err
}

// wantsTLS tells that plain HTTP was sent to a port of Go's that speaks TLS.
func (f fetched) wantsTLS() bool {
	return f.status == http.StatusBadRequest && strings.Contains(f.text, "HTTPS")
}

func readAnswer(from fetched) answer {
	got := answer{status: from.status, wantsTLS: from.wantsTLS(), validUntil: from.validUntil}
	var metadata struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	if got.status == http.StatusOK && json.Unmarshal([]byte(from.text), &metadata) == nil && metadata.TokenEndpoint == metadata.Issuer+oauth.TokenPath {
		got.issuer = metadata.Issuer
	}
	return got
}

// why is the cause of an error of a call, without the address, which the line names.
func why(err error) string {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	var untrusted *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return "its certificate comes from an authority that this machine does not know"
	case errors.As(err, &untrusted):
		return "its certificate is not good: " + untrusted.Err.Error()
	case errors.As(err, &record):
		return "it does not speak TLS"
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("it did not answer within %s", askFor)
	}
	return err.Error()
}
