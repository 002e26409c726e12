package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/latchkey/latchkey/models"
)

// Do sends a request with a token as if a client had, through every check and limit, and
// returns the answer as it comes: a refusal is an answer too. The path of r is one of the
// gateway's; its Authorization is replaced. Whoever calls closes the body, which ends the
// call where the answer has not ended.
func (g *Gateway) Do(ctx context.Context, r *http.Request, value models.Secret, from Caller) (*http.Response, error) {
	// ReverseProxy only tells of an answer that was cut where it believes to be in a server.
	ctx, cancel := context.WithCancel(context.WithValue(ctx, http.ServerContextKey, &http.Server{})) //nolint:gosec // it serves nothing
	sent := r.Clone(ctx)
	sent.Header.Set("Authorization", "Bearer "+value.Reveal())
	reader, writer := io.Pipe()
	p := &pipe{header: http.Header{}, body: writer, began: make(chan struct{})}
	go func() {
		defer cancel()
		p.finish(g.serveRecovered(p, sent, from))
	}()
	select {
	case <-p.began:
	case <-ctx.Done():
		<-p.began // its own end answers
	}
	if p.failed != nil {
		return nil, p.failed
	}
	return &http.Response{
		Status: http.StatusText(p.status), StatusCode: p.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: p.sent, Body: &piped{PipeReader: reader, cancel: cancel}, ContentLength: -1, Request: sent,
	}, nil
}

// errCut is for an answer that ended before it was whole.
var errCut = errors.New("the answer was cut off")

// serveRecovered serves, and returns an error for an answer that was cut.
func (g *Gateway) serveRecovered(w http.ResponseWriter, r *http.Request, from Caller) (err error) {
	defer func() {
		thrown := recover()
		if thrown == nil {
			return
		}
		if cause, ok := thrown.(error); !ok || !errors.Is(cause, http.ErrAbortHandler) {
			// Nobody else would catch it here. What was thrown may quote anything.
			g.Log.Error("a call within the program panicked", "request", from.RequestID, "panic", fmt.Sprintf("%T\n%s", thrown, debug.Stack()))
		}
		err = errCut
	}()
	g.Serve(w, r, from)
	return nil
}

// pipe is a ResponseWriter whose body somebody else reads as it is written.
type pipe struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	// began is closed when the rest stands.
	began  chan struct{}
	status int
	sent   http.Header
	failed error
}

func (p *pipe) Header() http.Header { return p.header }

func (p *pipe) WriteHeader(status int) {
	if status >= http.StatusOK {
		p.begin(status, nil)
	}
}

func (p *pipe) begin(status int, err error) {
	p.once.Do(func() {
		p.status, p.sent, p.failed = status, p.header.Clone(), err
		close(p.began)
	})
}

func (p *pipe) Write(b []byte) (int, error) {
	p.begin(http.StatusOK, nil)
	return p.body.Write(b)
}

func (p *pipe) finish(err error) {
	p.begin(http.StatusOK, err)
	_ = p.body.CloseWithError(err) // it never fails
}

// piped is the body of an answer.
type piped struct {
	*io.PipeReader
	cancel context.CancelFunc
}

// Close ends the call.
func (p *piped) Close() error {
	p.cancel()
	return p.PipeReader.Close()
}
