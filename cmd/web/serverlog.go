package main

import (
	"bytes"
	"fmt"
	"log"
	"log/slog"
	"strings"
)

// serverLog is for what net/http has to say.
type serverLog struct{ to *slog.Logger }

func newServerLog(to *slog.Logger) *log.Logger { return log.New(serverLog{to}, "", 0) }

// Write takes one message. Handshakes that fail are the client's affair: on a public address
// there are some a minute.
func (l serverLog) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	// It is tried again and again, up to 200 times a second.
	cause, accepting := strings.CutPrefix(text, "http: Accept error: ")
	switch {
	case accepting:
		cause, _, _ = strings.Cut(cause, "; retrying")
		l.to.Warn("no connection can be taken", "error", fmt.Errorf("%w: %s", errAccepting, cause))
	case strings.HasPrefix(text, "http: TLS handshake error"):
		l.to.Info(text)
	default:
		l.to.Warn(text)
	}
	return len(line), nil
}
