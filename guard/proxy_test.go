package guard_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/guard"
)

// line is a TCP proxy that a test makes worse.
type line struct {
	listener net.Listener
	mu       sync.Mutex
	target   string
	// down refuses connections, silent lets no byte pass until it is over, late holds those
	// to the client up.
	down, silent bool
	late         time.Duration
	open         map[net.Conn]bool
}

func newLine(t testing.TB, target string) *line {
	t.Helper()
	listener, err := listenOn("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, target: strings.TrimPrefix(target, "http://"), open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = listener.Close()
		l.change(func() { l.down = true })
		l.cut()
	})
	go l.accept()
	return l
}

func (l *line) change(how func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	how()
}

// cut closes what is open.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.open {
		_ = conn.Close()
	}
	clear(l.open)
}

func (l *line) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		target, down := l.target, l.down
		l.mu.Unlock()
		server, err := net.Dial("tcp", target) //nolint:noctx // of the test
		if err != nil || down {
			_ = client.Close()
			continue
		}
		l.change(func() { l.open[client], l.open[server] = true, true })
		go l.pump(server, client, false)
		go l.pump(client, server, true)
	}
}

func (l *line) isSilent() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.silent
}

// pump passes bytes on, each chunk as late as the line is, in order.
func (l *line) pump(to, from net.Conn, toClient bool) {
	type chunk struct {
		data []byte
		at   time.Time
	}
	chunks := make(chan chunk, 10_000)
	go func() {
		for c := range chunks {
			time.Sleep(time.Until(c.at))
			for l.isSilent() {
				time.Sleep(time.Millisecond)
			}
			_, _ = to.Write(c.data)
		}
		_ = to.Close()
	}()
	defer close(chunks)
	for {
		data := make([]byte, 32<<10)
		n, err := from.Read(data)
		l.mu.Lock()
		late := l.late
		l.mu.Unlock()
		if !toClient {
			late = 0
		}
		if n > 0 {
			chunks <- chunk{data[:n], time.Now().Add(late)}
		}
		if err != nil {
			return
		}
	}
}

// feedVia has a guard follow through a line, while it asks about tokens past it.
func feedVia(l *line) func(*guard.Config) {
	return func(c *guard.Config) {
		transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // it is one
		c.HTTPClient = &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/revocations") {
				r = r.Clone(r.Context())
				r.URL.Host = l.listener.Addr().String()
			}
			return transport.RoundTrip(r)
		})}
	}
}

type tripper func(r *http.Request) (*http.Response, error)

func (t tripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// after does something when the body of an answer was read.
type after struct {
	io.ReadCloser
	do func()
}

func (a after) Close() error {
	a.do()
	return a.ReadCloser.Close()
}
