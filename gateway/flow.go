package gateway

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// idleTicks divide the time that a call may be quiet, so that one timer is enough
	// however many bytes move.
	idleTicks = 10
	// extensions divide Stall: a deadline is not moved for every byte.
	extensions = 30
	// flushAfter is how long bytes of an answer of known length wait for others. Those of
	// unknown length and server-sent events do not wait.
	flushAfter = 20 * time.Millisecond
)

var errIdle = errors.New("no byte moved either way for too long")

// tick ends a call that has moved no byte for idleTicks of them.
func (x *exchange) tick() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.idle == nil {
		return
	}
	if x.quiet++; x.moved.Swap(false) {
		x.quiet = 0
	}
	if x.quiet >= idleTicks {
		x.cancel(errIdle)
		return
	}
	x.idle.Reset(x.Limits.Idle / idleTicks)
}

func (x *exchange) stopIdle() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.idle != nil {
		x.idle.Stop()
		x.idle = nil
	}
}

// move notes that bytes went one way or the other.
func (x *exchange) move() {
	if !x.moved.Load() {
		x.moved.Store(true)
	}
}

// answer is what the client gets.
type answer struct {
	http.ResponseWriter
	x        *exchange
	control  *http.ResponseController
	extended time.Time
}

// Hijack is called by ReverseProxy once a WebSocket is open.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := a.control.Hijack()
	if err == nil {
		a.x.settle()
	}
	return conn, buffered, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader keeps from answers before the last one what is not the upstream's to say.
func (a *answer) WriteHeader(status int) {
	if status < http.StatusOK && status != http.StatusSwitchingProtocols {
		a.x.foreign(a.Header())
		a.x.move()
	}
	a.extend()
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.x.move()
	a.extend()
	return a.ResponseWriter.Write(p)
}

// extend lets the client take as long for the next bytes as it could for the last. An
// answer that is quiet takes no time.
func (a *answer) extend() {
	now := a.x.Now()
	if now.Sub(a.extended) < a.x.Limits.Stall/extensions {
		return
	}
	a.extended = now
	_ = a.control.SetWriteDeadline(now.Add(a.x.Limits.Stall)) // a caller in this process has none
}

// sending is a request's body on its way to the upstream.
type sending struct {
	io.ReadCloser
	x        *exchange
	control  *http.ResponseController
	trailer  http.Header // of the request that goes out
	extended time.Time
	// failed is what went wrong on the client's side. It is read once the upstream's
	// side is done with the body.
	failed error
}

func (s *sending) Read(p []byte) (int, error) {
	s.extend()
	n, err := s.ReadCloser.Read(p)
	if n > 0 {
		s.x.move()
	}
	if err == nil {
		return n, nil
	}
	s.x.mu.Lock()
	defer s.x.mu.Unlock()
	if !errors.Is(err, io.EOF) {
		s.failed = err
		return n, err
	}
	for name := range s.trailer {
		s.trailer[name] = s.x.in.Trailer[name]
	}
	if !s.x.over {
		_ = s.control.SetReadDeadline(time.Time{}) // the answer may take longer
	}
	return n, err
}

func (s *sending) extend() {
	s.x.mu.Lock()
	defer s.x.mu.Unlock()
	now := s.x.Now()
	if s.x.over || now.Sub(s.extended) < s.x.Limits.Stall/extensions {
		return
	}
	s.extended = now
	_ = s.control.SetReadDeadline(now.Add(s.x.Limits.Stall)) // a caller in this process has none
}

// receiving is the body of the upstream's answer.
type receiving struct {
	io.ReadCloser
	x   *exchange
	res *http.Response
}

func (b *receiving) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.x.move()
	}
	switch {
	case errors.Is(err, io.EOF):
		b.x.cost(b.res.Trailer)
		drop(b.res.Trailer, fromUpstreams, originWide)
	case err != nil:
		b.x.from.note("cut", cause(err))
	}
	return n, err
}
