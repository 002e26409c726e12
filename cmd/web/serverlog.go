package main

import (
	"bytes"
	"log"
	"log/slog"
)

// serverLog is for what net/http has to say.
type serverLog struct{ to *slog.Logger }

func newServerLog(to *slog.Logger) *log.Logger { return log.New(serverLog{to}, "", 0) }

// Write takes one message. Handshakes that fail are the client's affair: on a public address
// there are some a minute.
func (l serverLog) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	if bytes.HasPrefix(line, []byte("http: TLS handshake error")) {
		l.to.Info(text)
	} else {
		l.to.Warn(text)
	}
	return len(line), nil
}
