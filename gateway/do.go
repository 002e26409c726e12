package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/latchkey/latchkey/models"
)

// Do makes a call with a token from within the program, with all that Serve checks. The
// caller closes the answer's body, or ends ctx.
func (g *Gateway) Do(ctx context.Context, r *http.Request, value models.Secret, from Caller) (*http.Response, error) {
	r = r.Clone(ctx)
	r.Header.Set("Authorization", "Bearer "+value.Reveal())
	reader, writer := io.Pipe()
	w := &inner{header: http.Header{}, body: writer, began: make(chan *http.Response, 1), reader: reader}
	stop := context.AfterFunc(ctx, func() { _ = reader.CloseWithError(ctx.Err()) })
	go func() {
		defer stop()
		defer func() {
			// The proxy panics to cut an answer that the upstream has cut.
			if p := recover(); p != nil {
				_ = writer.CloseWithError(errCut)
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			w.WriteHeader(http.StatusOK)
			_ = writer.Close()
		}()
		g.Serve(w, r, from)
	}()
	select {
	case response := <-w.began:
		return response, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var errCut = errors.New("the answer was cut")

// inner writes an answer into a pipe.
type inner struct {
	header http.Header
	body   *io.PipeWriter
	reader *io.PipeReader
	began  chan *http.Response
	sent   bool
}

func (w *inner) Header() http.Header { return w.header }

func (w *inner) WriteHeader(status int) {
	if w.sent || status < http.StatusOK {
		return
	}
	w.sent = true
	w.began <- &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header.Clone(), Body: w.reader, ContentLength: -1,
	}
}

func (w *inner) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

func (w *inner) Flush() { w.WriteHeader(http.StatusOK) }
