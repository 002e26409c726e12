package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/usage"
)

func short(change func(*gateway.Limits)) func(*gateway.Deps) {
	return func(d *gateway.Deps) { change(&d.Limits) }
}

// Upstreams that fail before they answer: a plain sentence, and no points.
func TestUpstreamsThatDoNotAnswer(t *testing.T) {
	full := fullListener(t)
	g := newGate(t, "/v1=UP;strip /down=http://127.0.0.1:1 /full=http://"+full+" /name=http://no-such-host.invalid /tls=https://"+full,
		short(func(l *gateway.Limits) { l.Answer, l.Connect = 100*time.Millisecond, 200*time.Millisecond }))
	for path, want := range map[string]int{"/down": 502, "/name": 502, "/v1/junk": 502, "/v1/wide": 502, "/v1/hang": 504, "/full": 504, "/tls": 504} {
		answer := g.get(t, path+"?secret=query")
		if answer.StatusCode != want || !strings.HasSuffix(answer.body, ".") || !strings.HasPrefix(answer.body, "The API behind this address ") {
			t.Errorf("%s: %d %q", path, answer.StatusCode, answer.body)
		}
		if answer.Header.Get("X-Request-Id") != "REQUEST" || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, answer.Header)
		}
		if c := g.meter.next(t); c.status != want || c.points != 0 {
			t.Errorf("%s: %+v", path, c)
		}
		g.meter.settled(t)
	}
	// A2: neither what was asked nor what an upstream sent is told to the log.
	if told := g.told(); strings.Contains(told, "secret") || strings.Contains(told, "SECRET") || strings.Contains(told, value) || !strings.Contains(told, "connection refused") {
		t.Error(told)
	}
}

// fullListener takes connections and says nothing on them.
func fullListener(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// An answer that the upstream cuts is cut for the client too, and never looks whole.
func TestAnswersThatAreCut(t *testing.T) {
	g := newGate(t, "/=UP", short(func(l *gateway.Limits) { l.Idle = 200 * time.Millisecond }))
	for _, path := range []string{"/cut", "/cut?framed", "/stall"} {
		body, err := g.ending(t, path)
		if (body != "half" && path == "/stall") || err == nil {
			t.Errorf("%s: %q %v", path, body, err)
		}
		// It had begun to work, and said so with its status.
		if c := g.meter.next(t); c.status != 200 || c.points != usage.CostOfRoute {
			t.Errorf("%s: %+v", path, c)
		}
		if !strings.Contains(g.told(), "cut=") {
			t.Error(g.told())
		}
	}
	await(t, g.upstream.Left) // /stall
}

// ending reads an answer until it ends, of which there may be none.
func (g *gate) ending(t *testing.T, path string) (body string, err error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(g.request(t, http.MethodPost, path, strings.NewReader("body")))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

// Who leaves pays for what was begun.
func TestClientsThatLeave(t *testing.T) {
	g := newGate(t, "/v1=UP;strip /full=http://"+unreachable)
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		await(t, g.upstream.Arrived)
		leave()
	}()
	if _, err := http.DefaultClient.Do(g.request(t, http.MethodGet, "/v1/hang", nil).WithContext(ctx)); err == nil {
		t.Error("answered")
	}
	await(t, g.upstream.Left)
	if c := g.meter.next(t); c.status != 499 || c.points != usage.CostOfRoute {
		t.Errorf("%+v", c)
	}
}

const unreachable = "127.0.0.1:1"

// A quiet stream lasts as long as it may, however short the deadlines of the server.
func TestQuietStreamsLast(t *testing.T) {
	g := newGate(t, "/=UP", short(func(l *gateway.Limits) { l.Stall = 200 * time.Millisecond }))
	read, write := io.Pipe()
	res, err := http.DefaultClient.Do(g.request(t, http.MethodGet, "/sse", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	first := make([]byte, len("data: 0\n\n"))
	if _, err := io.ReadFull(res.Body, first); err != nil {
		t.Fatal(err)
	}
	timer := time.NewTimer(700 * time.Millisecond)
	ended := make(chan error, 1)
	go func() { _, err := res.Body.Read(first); ended <- err }()
	select {
	case err := <-ended:
		t.Fatalf("ended: %v", err)
	case <-timer.C:
	}
	// The same for one with a body that has come whole, and then the end is clean.
	go func() { _, _ = io.WriteString(write, "x"); _ = write.Close() }()
	answer := g.send(t, g.request(t, http.MethodPost, "/slow?ms=600", read))
	if answer.body != "slow" || answer.err != nil {
		t.Errorf("%q %v", answer.body, answer.err)
	}
}

// R2: a client that stops sending is cut, and so is the upstream's half of it.
func TestClientsThatStopSending(t *testing.T) {
	g := newGate(t, "/=UP", short(func(l *gateway.Limits) { l.Stall = 200 * time.Millisecond }))
	conn := g.dial(t)
	_, _ = fmt.Fprintf(conn, "POST /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\nhalf", value)
	res, body := readAnswer(t, conn)
	if res.StatusCode != http.StatusRequestTimeout || !strings.Contains(body, "did not come in time") {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection goes on")
	}
	if c := g.meter.next(t); c.status != http.StatusRequestTimeout || c.points != usage.CostOfRoute {
		t.Errorf("%+v", c)
	}
	if len(g.upstream.Seen()) > 0 {
		t.Error("the upstream took half a request for a whole one")
	}
}

// A body that comes slowly comes whole, where it does not stop.
func TestSlowBodiesComeThrough(t *testing.T) {
	g := newGate(t, "/=UP", short(func(l *gateway.Limits) { l.Stall = 300 * time.Millisecond }))
	read, write := io.Pipe()
	go func() {
		for range 10 {
			time.Sleep(60 * time.Millisecond) // the test is of time
			_, _ = io.WriteString(write, "x")
		}
		_ = write.Close()
	}()
	if got := g.send(t, g.request(t, http.MethodPost, "/x", read)).seen(t); got.Body != "xxxxxxxxxx" {
		t.Errorf("%q", got.Body)
	}
}

// R2: a client that stops reading holds nothing for long.
func TestClientsThatStopReading(t *testing.T) {
	g := newGate(t, "/=UP", short(func(l *gateway.Limits) { l.Stall = 200 * time.Millisecond }))
	conn := g.dial(t)
	_, _ = fmt.Fprintf(conn, "GET /large?bytes=%d HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", 1<<30, value)
	if c := g.meter.next(t); c.status != 200 { // without a byte being read
		t.Errorf("%+v", c)
	}
	for deadline := time.Now().Add(patience); g.gateway.Open() > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the call is open")
		}
	}
}

// R2: a call that moves nothing ends.
func TestIdleCallsEnd(t *testing.T) {
	g := newGate(t, "/=UP", short(func(l *gateway.Limits) { l.Idle = 200 * time.Millisecond }))
	answer := g.get(t, "/sse")
	if answer.body != "data: 0\n\n" || answer.err == nil {
		t.Errorf("%q %v", answer.body, answer.err)
	}
	await(t, g.upstream.Left)
	g.meter.next(t)
	if answer := g.get(t, "/hang"); answer.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("%d %q", answer.StatusCode, answer.body)
	}
	if c := g.meter.next(t); c.points != 0 {
		t.Errorf("%+v", c)
	}
	await(t, g.upstream.Left)
}

// Whatever happened to calls, nothing of them stays.
func TestNothingStays(t *testing.T) {
	g := newGate(t, "/v1=UP;strip /down=http://127.0.0.1:1", short(func(l *gateway.Limits) { l.Answer = 50 * time.Millisecond }))
	_, _ = g.ending(t, "/v1/x")
	g.gateway.CloseIdle()
	before := settledGoroutines()
	for range 5 {
		for _, path := range []string{"/v1/x", "/v1/hang", "/v1/cut", "/v1/junk", "/down", "/v1/trailers", "/v1/early"} {
			_, _ = g.ending(t, path)
		}
	}
	g.gateway.CloseIdle()
	for deadline := time.Now().Add(patience); ; {
		after := settledGoroutines()
		if after <= before+3 && g.gateway.Open() == 0 {
			return
		}
		if time.Now().After(deadline) {
			text := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before\n%s", after, before, text[:runtime.Stack(text, true)])
		}
	}
}

// settledGoroutines counts once those that are about to end have had a chance to.
func settledGoroutines() int {
	least := runtime.NumGoroutine()
	for range 50 {
		time.Sleep(2 * time.Millisecond) // the runtime tells no other way
		least = min(least, runtime.NumGoroutine())
	}
	return least
}
