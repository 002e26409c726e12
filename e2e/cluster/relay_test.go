package cluster

import (
	"net"
	"sync"
	"testing"
	"time"
)

// relay stands between a node and the database and is the network between them.
type relay struct {
	listener net.Listener
	target   string

	// mu guards the others; changed is closed and made anew with each change.
	mu      sync.Mutex
	changed chan struct{}
	// up and down tell whether bytes reach the server, and the node. Where they do not, they
	// vanish from the view of both: no end of the connection is told.
	up, down bool
	conns    map[*passage]struct{}
}

// passage is one connection. A lost one carries nothing ever again.
type passage struct {
	client, server net.Conn
	lost           bool
}

func newRelay(t testing.TB, target string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ends with the test
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener, target: target, changed: make(chan struct{}), up: true, down: true, conns: map[*passage]struct{}{}}
	go r.accept()
	t.Cleanup(func() {
		_ = listener.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		for p := range r.conns {
			_, _ = p.client.Close(), p.server.Close()
		}
	})
	return r
}

func (r *relay) address() string { return r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.join(client)
	}
}

func (r *relay) join(client net.Conn) {
	server, err := net.DialTimeout("tcp", r.target, time.Second) //nolint:noctx // has a bound
	if err != nil {
		_ = client.Close()
		return
	}
	p := &passage{client: client, server: server}
	r.mu.Lock()
	r.conns[p] = struct{}{}
	r.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { r.carry(p, client, server, func() bool { return r.up }) })
	both.Go(func() { r.carry(p, server, client, func() bool { return r.down }) })
	both.Wait()
	r.mu.Lock()
	delete(r.conns, p)
	r.mu.Unlock()
}

// carry moves bytes one way. The end of one side reaches the other as bytes would.
func (r *relay) carry(p *passage, from, to net.Conn, open func() bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		r.pass(p, open)
		if n > 0 {
			if _, failed := to.Write(buf[:n]); failed != nil {
				err = failed
			}
		}
		if err != nil {
			_, _ = p.client.Close(), p.server.Close()
			return
		}
	}
}

// pass waits until the way is open.
func (r *relay) pass(p *passage, open func() bool) {
	for {
		r.mu.Lock()
		free, changed := open() && !p.lost, r.changed
		r.mu.Unlock()
		if free {
			return
		}
		<-changed
	}
}

// set opens or cuts the way in each direction.
func (r *relay) set(up, down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.up, r.down = up, down
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *relay) cut() { r.set(false, false) }

// heal opens the way. With lost, what was connected meanwhile is forgotten by the network
// and hears nothing any more, not even an end.
func (r *relay) heal(lost bool) {
	r.mu.Lock()
	for p := range r.conns {
		p.lost = p.lost || lost
	}
	r.mu.Unlock()
	r.set(true, true)
}
