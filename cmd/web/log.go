package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// logLag is how long a line may wait for others to be written with.
	logLag = 20 * time.Millisecond
	// logRoom is how many bytes may wait.
	logRoom = 64 << 10
)

// newLog writes structured lines with times in UTC to the millisecond. Warnings and
// errors leave at once, other lines within logLag; flush writes what waits.
func newLog(config Config, out io.Writer) (log *slog.Logger, flush func()) {
	lines, faults := &lineBuffer{out: out}, newAlike()
	if config.LogJSON {
		return slog.New(promptHandler{slog.NewJSONHandler(lines, &slog.HandlerOptions{ReplaceAttr: utcTime}), lines, faults}), lines.flush
	}
	return slog.New(promptHandler{slog.NewTextHandler(lines, nil), lines, faults}), lines.flush
}

// utcTime is for JSON, which would leave out zeros at the end of a time.
func utcTime(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 && attr.Key == slog.TimeKey {
		return slog.String(slog.TimeKey, attr.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return attr
}

// promptHandler sets times to UTC, which for text is all there is to do: replacing
// an attribute takes as long as the rest of the line. What is worse than information
// does not wait, and is counted where it says the same again.
type promptHandler struct {
	slog.Handler
	lines  *lineBuffer
	faults *alike
}

// Handle implements slog.Handler.
func (h promptHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level > slog.LevelInfo && h.faults.counts(r, func(sum slog.Record) { _ = h.write(context.WithoutCancel(ctx), sum) }) {
		return nil
	}
	return h.write(ctx, r)
}

func (h promptHandler) write(ctx context.Context, r slog.Record) error {
	r.Time = r.Time.UTC()
	err := h.Handler.Handle(ctx, r)
	if r.Level > slog.LevelInfo {
		h.lines.flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (h promptHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return promptHandler{h.Handler.WithAttrs(attrs), h.lines, h.faults}
}

// WithGroup implements slog.Handler.
func (h promptHandler) WithGroup(name string) slog.Handler {
	return promptHandler{h.Handler.WithGroup(name), h.lines, h.faults}
}

// lineBuffer writes lines together: under load, a system call for each would take a
// tenth of the time of a request.
type lineBuffer struct {
	out io.Writer

	// mu guards waiting, and keeps what is written in order.
	mu      sync.Mutex
	waiting []byte
}

// Write takes a whole line. It never fails: there is nowhere to report that the log
// cannot be written.
func (b *lineBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting)+len(line) > logRoom {
		b.write()
	}
	if len(b.waiting) == 0 {
		time.AfterFunc(logLag, b.flush)
	}
	b.waiting = append(b.waiting, line...)
	return len(line), nil
}

func (b *lineBuffer) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write()
}

// write needs b.mu.
func (b *lineBuffer) write() {
	if len(b.waiting) == 0 {
		return
	}
	_, _ = b.out.Write(b.waiting)
	b.waiting = b.waiting[:0]
}
