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
	"sync/atomic"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	// retries are for a collector that is away for a moment; firstPause is before the first
	// and doubles. The SDK ends it all after half a minute.
	retries    = 3
	firstPause = 500 * time.Millisecond
	// longestPause bounds what a collector may ask for.
	longestPause = 10 * time.Second
)

// collector posts spans by OTLP/HTTP in protobuf. It is otlptrace's client: the one of the
// SDK brings all of gRPC along (docs/decisions/0024-metrics-and-traces.md).
type collector struct {
	settings Settings
	client   *http.Client
	log      *slog.Logger
	failing  atomic.Bool
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

// Start implements otlptrace.Client.
func (*collector) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := c.encode(spans)
	if err == nil {
		err = c.deliver(ctx, body)
	}
	if (err != nil) != c.failing.Swap(err != nil) {
		if err == nil {
			c.log.Info("traces are delivered again")
		} else {
			c.log.Warn("traces are lost", "error", err)
		}
	}
	return err
}

// encode writes an ExportTraceServiceRequest, which has the form of a TracesData.
func (c *collector) encode(spans []*tracepb.ResourceSpans) ([]byte, error) {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil || !c.settings.Gzip {
		return body, err
	}
	var small bytes.Buffer
	w := gzip.NewWriter(&small)
	_, err = w.Write(body)
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
	r.Header.Set("User-Agent", "latchkey/"+c.settings.Version)
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
