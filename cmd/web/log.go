package main

import (
	"context"
	"io"
	"log/slog"
)

// newLog writes structured lines with times in UTC to the millisecond.
func newLog(config Config, out io.Writer) *slog.Logger {
	if config.LogJSON {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{ReplaceAttr: utcTime}))
	}
	return slog.New(utcHandler{slog.NewTextHandler(out, nil)})
}

// utcTime is for JSON, which would leave out zeros at the end of a time.
func utcTime(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 && attr.Key == slog.TimeKey {
		return slog.String(slog.TimeKey, attr.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return attr
}

// utcHandler is for text, which has milliseconds already: replacing an attribute
// takes as long as the rest of the line.
type utcHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h utcHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Time = r.Time.UTC()
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h utcHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return utcHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h utcHandler) WithGroup(name string) slog.Handler {
	return utcHandler{h.Handler.WithGroup(name)}
}
