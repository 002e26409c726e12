package handlers

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"runtime"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/static"
)

// minCompressed is the size below which a page goes out as it is.
const minCompressed = 1024

const keyCompressor = "compressor"

// compressor holds a writer for each core: one takes 800 kB, and more of them
// would not be faster. nil stands for one that was not needed so far.
type compressor chan *gzip.Writer

// compress lets show compress pages for browsers that take it. It leaves answers
// with a value alone: what is secret is not squeezed together with what a stranger
// can choose.
func compress() echo.MiddlewareFunc {
	writers := make(compressor, runtime.GOMAXPROCS(0))
	for range cap(writers) {
		writers <- nil
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if c.Request().Method != http.MethodPost {
				c.Response().Header().Set(echo.HeaderVary, echo.HeaderAcceptEncoding)
				if static.AcceptsGzip(c.Request().Header.Values(echo.HeaderAcceptEncoding)) {
					c.Set(keyCompressor, writers)
				}
			}
			return next(c)
		}
	}
}

// compress waits for a writer, until ctx ends.
func (writers compressor) compress(ctx context.Context, to *bytes.Buffer, page []byte) error {
	var w *gzip.Writer
	select {
	case w = <-writers:
	case <-ctx.Done():
		return fmt.Errorf("%w: waiting to compress a page: %w", models.ErrUnavailable, ctx.Err())
	}
	defer func() { writers <- w }()
	if w == nil {
		// Half the time of the default level; a list of 48 kB becomes 4 kB instead of 3.
		var err error
		if w, err = gzip.NewWriterLevel(to, gzip.BestSpeed); err != nil {
			return err
		}
	} else {
		w.Reset(to)
	}
	if _, err := w.Write(page); err != nil {
		return err
	}
	return w.Close()
}
