package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// closing is how long a WebSocket has for its end: what is left of a frame, our close
	// frame and the client's.
	closing = 200 * time.Millisecond
	// goneIdle is how long the upstream may go on after the client has gone.
	goneIdle = 5 * time.Second
	// Buffers of a tunnel grow with what comes: most WebSockets are idle most of the time.
	minTunnelBuffer = 2 << 10
	maxTunnelBuffer = 32 << 10
)

// upgradeWriter gives away the client's connection as a tunnel.
type upgradeWriter struct {
	http.ResponseWriter
	stream *stream
}

func (w *upgradeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack is called by ReverseProxy once the upstream has agreed.
func (w *upgradeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return conn, buffered, err
	}
	t := &tunnel{Conn: conn, stream: w.stream, reader: conn, answered: make(chan struct{}), closed: make(chan struct{})}
	if n := buffered.Reader.Buffered(); n > 0 {
		early, _ := buffered.Peek(n)
		t.reader = io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn)
	}
	w.stream.mu.Lock()
	defer w.stream.mu.Unlock()
	w.stream.tunnel = t
	if w.stream.why != nil {
		_ = t.Close() // it was ended while the upstream agreed
	}
	return t, buffered, nil
}

// tunnel is the client's side of a WebSocket. It passes bytes on as they are, and knows
// where between them a close frame of ours may stand.
type tunnel struct {
	net.Conn
	stream *stream
	// reader is the connection behind what of it was read before.
	reader io.Reader
	// fromClient is used by the reading goroutine alone.
	fromClient frames
	clientGone atomic.Bool
	// answered is closed when the client's close frame went to the upstream, closed when the
	// connection was.
	answered, closed      chan struct{}
	answerOnce, closeOnce sync.Once
	closeErr              error

	// mu guards what follows. It is not held over I/O: writing tells that some is going on.
	mu       sync.Mutex
	toClient frames
	writing  bool
	// begun tells that the answer to the upgrade has gone out.
	begun bool
	// last is our close frame, said that it was written or is: nothing follows it.
	last []byte
	said bool
}

// finish ends the WebSocket: the client gets a close frame as soon as one may stand, and a
// moment to answer it. Then both sides are cut, wherever they are.
func (t *tunnel) finish(why ending) {
	timer := time.NewTimer(closing)
	defer timer.Stop()
	_ = t.SetWriteDeadline(time.Now().Add(closing)) //nolint:forbidigo // of the socket, which knows no other clock
	t.mu.Lock()
	t.last = why.closeFrame()
	frame := t.due()
	t.mu.Unlock()
	_ = t.say(frame)
	select {
	case <-t.answered:
	case <-t.closed:
	case <-timer.C:
	}
	t.stream.cancel(why) // closes the upstream's connection
	_ = t.Close()
}

// due returns our close frame where it may be written now, and sees to it that nothing is
// written beside or after it. It needs t.mu.
func (t *tunnel) due() []byte {
	if t.last == nil || t.said || t.writing || !t.begun || !t.toClient.between() {
		return nil
	}
	t.said = true
	if t.toClient.closed {
		return nil // the upstream's went before
	}
	return t.last
}

func (t *tunnel) say(frame []byte) error {
	if frame == nil {
		return nil
	}
	_, err := t.Conn.Write(frame)
	return err
}

// Write passes on what comes from the upstream. After our close frame it goes nowhere.
func (t *tunnel) Write(p []byte) (int, error) {
	t.stream.move()
	t.mu.Lock()
	t.begun = true
	frame := t.due()
	if t.said {
		t.mu.Unlock()
		return len(p), t.say(frame)
	}
	part := p
	if t.last != nil {
		rest := t.toClient
		part = p[:rest.next(p)]
	}
	t.writing = true
	t.mu.Unlock()
	n, err := t.Conn.Write(part)
	t.mu.Lock()
	t.writing = false
	t.toClient.pass(part[:n])
	frame = t.due()
	t.mu.Unlock()
	if err != nil {
		return n, err
	}
	return len(p), t.say(frame)
}

// Read passes on what comes from the client, also while the WebSocket ends: so the
// upstream gets the client's own close frame.
func (t *tunnel) Read(p []byte) (int, error) {
	if t.fromClient.closed {
		t.answerOnce.Do(func() { close(t.answered) })
	}
	t.mu.Lock()
	t.begun = true
	frame := t.due()
	t.mu.Unlock()
	if err := t.say(frame); err != nil {
		return 0, err
	}
	n, err := t.reader.Read(p)
	t.stream.move()
	t.fromClient.pass(p[:n])
	if errors.Is(err, io.EOF) {
		t.clientGone.Store(true)
	}
	return n, err
}

// Close closes the connection, once.
func (t *tunnel) Close() error {
	t.closeOnce.Do(func() {
		close(t.closed)
		t.closeErr = t.Conn.Close()
	})
	return t.closeErr
}

// ReadFrom and WriteTo have io.Copy take buffers of the tunnel's size.
func (t *tunnel) ReadFrom(from io.Reader) (int64, error) { return relay(t.Write, from.Read) }

// WriteTo is like ReadFrom.
func (t *tunnel) WriteTo(to io.Writer) (int64, error) { return relay(to.Write, t.Read) }

func relay(write, read func(p []byte) (int, error)) (total int64, err error) {
	buffer := make([]byte, minTunnelBuffer)
	for {
		n, readErr := read(buffer)
		if n > 0 {
			written, err := write(buffer[:n])
			total += int64(written)
			if err != nil {
				return total, err
			}
		}
		if errors.Is(readErr, io.EOF) {
			return total, nil
		}
		if readErr != nil {
			return total, readErr
		}
		if n == len(buffer) && n < maxTunnelBuffer {
			buffer = make([]byte, 2*n)
		}
	}
}
