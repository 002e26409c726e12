package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// retries are for a collector that is away for a moment; firstPause is before the first
	// and doubles.
	retries    = 3
	firstPause = 500 * time.Millisecond
	// longestPause bounds what a collector may ask for.
	longestPause = 10 * time.Second
)

// collector is posted spans by OTLP/HTTP in protobuf.
type collector struct {
	settings Settings
	client   *http.Client
	log      *slog.Logger
	// failing is for the goroutine that sends.
	failing bool
}

func newCollector(settings Settings, log *slog.Logger) *collector {
	return &collector{settings: settings, log: log, client: &http.Client{
		Transport: &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: settings.CAs},
			IdleConnTimeout: time.Minute, MaxIdleConns: 1,
		},
		// Headers may hold a credential of the collector.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// send posts spans, or loses them. It is for one goroutine.
func (c *collector) send(ctx context.Context, spans []*span) {
	body, err := c.pack(export(c.settings.Resource, spans))
	if err == nil {
		err = c.deliver(ctx, body)
	}
	if (err != nil) == c.failing {
		return
	}
	c.failing = err != nil
	if c.failing {
		c.log.Warn("traces are lost", "error", err)
		return
	}
	c.log.Info("traces are delivered again")
}

func (c *collector) pack(body []byte) ([]byte, error) {
	if !c.settings.Gzip {
		return body, nil
	}
	var small bytes.Buffer
	w := gzip.NewWriter(&small)
	_, err := w.Write(body)
	err = errors.Join(err, w.Close())
	return small.Bytes(), err
}

func (c *collector) deliver(ctx context.Context, body []byte) error {
	pause := firstPause
	for try := 0; ; try++ {
		wait, again, err := c.post(ctx, body)
		if err == nil || !again || try == retries {
			return err
		}
		select {
		case <-time.After(max(pause, wait)):
		case <-ctx.Done():
			return err
		}
		pause *= 2
	}
}

// post tells whether to try again, and what the collector wants to be waited for.
func (c *collector) post(ctx context.Context, body []byte) (wait time.Duration, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.settings.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.settings.URL, bytes.NewReader(body))
	if err != nil {
		return 0, false, bare(err)
	}
	r.Header.Set("User-Agent", "latchkey")
	for name, value := range c.settings.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	if c.settings.Gzip {
		r.Header.Set("Content-Encoding", "gzip")
	}
	res, err := c.client.Do(r)
	if err != nil {
		return 0, true, bare(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection is used again
	if res.StatusCode/100 == 2 {
		return 0, false, nil
	}
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
	return min(time.Duration(seconds)*time.Second, longestPause), temporary(res.StatusCode), fmt.Errorf("the collector answered %d", res.StatusCode)
}

// temporary names the statuses that the protocol has sent again.
func temporary(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// bare is an error without the address, which may hold a credential.
func bare(err error) error {
	if of := (*url.Error)(nil); errors.As(err, &of) {
		return of.Err
	}
	return err
}
