// Package mail sends text mail through the operator's server, where there is one.
package mail

import (
	"context"
	"errors"
	"log/slog"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/latchkey/latchkey/models"
)

// Message is one text mail. Its text may hold a link that works once, so it is a secret.
type Message struct {
	To      string
	Subject string
	Text    models.Secret
}

// errFields refuses what would add fields to the head of a mail.
var errFields = errors.New("the address or the subject of the mail is not one line")

func (m Message) check() error {
	to, err := mail.ParseAddress(m.To)
	if err != nil || to.Address != m.To || strings.ContainsFunc(m.To+m.Subject, unicode.IsControl) {
		return errFields
	}
	return nil
}

// Mailer sends messages. The zero value has no server: it is not Enabled and Send
// does nothing. It is safe for concurrent use.
type Mailer struct {
	server Server
	log    *slog.Logger
	now    func() time.Time
	pace   pace

	// mu guards waiting and closed.
	mu      sync.Mutex
	waiting []letter
	closed  bool
	// wake holds one signal while there is something to do.
	wake    chan struct{}
	stopped chan struct{}
	// cut ends the try that runs.
	cut context.CancelFunc

	sent, givenUp atomic.Int64
}

// letter is a message on its way.
type letter struct {
	Message
	taken, due time.Time
	tries      int
}

// pace is how patient the mailer is.
type pace struct {
	// waiting bounds how many messages wait.
	waiting int
	// step bounds each of connecting with signing in and handing over, whole both together.
	step, whole time.Duration
	// pauses come after tries that failed for a while; the last one repeats.
	pauses []time.Duration
	// tries is how often a message is tried that the server puts off.
	tries int
	// longest is how long a message waits before it is given up.
	longest time.Duration
}

var usualPace = pace{
	waiting: 1000, step: 10 * time.Second, whole: 30 * time.Second,
	pauses: []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute},
	tries:  5, longest: 30 * time.Minute,
}

// New returns a mailer that sends through server; without a host it is not Enabled.
// ctx bounds what is sent, not the life of the mailer: Close ends it.
func New(ctx context.Context, server Server, log *slog.Logger, now func() time.Time) *Mailer {
	return start(ctx, server, log, now, usualPace)
}

func start(ctx context.Context, server Server, log *slog.Logger, now func() time.Time, pace pace) *Mailer {
	if server.Host == "" {
		return &Mailer{}
	}
	ctx, cut := context.WithCancel(ctx)
	m := &Mailer{server: server, log: log, now: now, pace: pace, wake: make(chan struct{}, 1), stopped: make(chan struct{}), cut: cut}
	go m.run(ctx)
	return m
}

// Enabled tells whether mail goes out at all.
func (m *Mailer) Enabled() bool { return m.server.Host != "" }

// Server tells where mail goes out, without the password.
func (m *Mailer) Server() Server {
	server := m.server
	server.Password = models.Secret{}
	return server
}

// Send hands a message over and returns at once. One that cannot be sent, or finds
// the queue full, is dropped with a line in the log.
func (m *Mailer) Send(message Message) {
	if !m.Enabled() {
		return
	}
	if err := message.check(); err != nil {
		m.log.Error("mail not sent", "error", err)
		return
	}
	m.mu.Lock()
	full := m.closed || len(m.waiting) >= m.pace.waiting
	if !full {
		now := m.now()
		m.waiting = append(m.waiting, letter{Message: message, taken: now, due: now})
		m.signal()
	}
	m.mu.Unlock()
	if full {
		m.log.Error("mail not sent: too many wait already, or the program stops", "to", message.To, "subject", message.Subject)
	}
}

// Try sends a message now and returns what the server said. Its error may quote the
// server, so it is for messages without a secret in them: a test.
func (m *Mailer) Try(ctx context.Context, message Message) (said string, err error) {
	if !m.Enabled() {
		return "", errors.New("no mail server is set")
	}
	if err := message.check(); err != nil {
		return "", err
	}
	said, err = m.try(ctx, message)
	var failed *failure
	if errors.As(err, &failed) {
		return "", failed.quoted()
	}
	return said, err
}

// signal needs m.mu.
func (m *Mailer) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Close sends what waits, each message once and without pauses, until ctx ends.
func (m *Mailer) Close(ctx context.Context) error {
	if !m.Enabled() {
		return nil
	}
	m.mu.Lock()
	m.closed = true
	m.signal()
	m.mu.Unlock()
	select {
	case <-m.stopped:
	case <-ctx.Done():
	}
	m.cut()
	<-m.stopped
	if n := len(m.waiting); n > 0 {
		m.log.Error("mail was still waiting to be sent and is lost", "messages", n)
	}
	return nil
}
