package gateway_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey/latchkey/models"
)

// byHand opens a WebSocket over a plain connection and returns what comes after the answer.
func (w *streamWorld) byHand(t testing.TB, value, more string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: api.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer "+value+"\r\n\r\n"+more)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(response.Status)
	}
	return conn, reader
}

// serverFrame is one frame of an upstream.
func serverFrame(first byte, payload []byte) []byte {
	header := []byte{first, byte(len(payload))}
	switch {
	case len(payload) > 0xffff:
		header = binary.BigEndian.AppendUint64([]byte{first, 127}, uint64(len(payload)))
	case len(payload) > 125:
		header = binary.BigEndian.AppendUint16([]byte{first, 126}, uint16(len(payload)))
	}
	return append(header, payload...)
}

var unauthorizedFrame = append([]byte{0x88, 14, 0x11, 0x31}, "Unauthorized"...)

// clientClose is what a client answers: masked with zeros.
var clientClose = []byte{0x88, 0x82, 0, 0, 0, 0, 0x11, 0x31}

// G6: our close frame stands between two frames, wherever the upstream's message is: in
// fragments, compressed (RSV1), or half sent.
func TestCloseFrameStandsBetweenFrames(t *testing.T) {
	long := bytes.Repeat([]byte("long "), 20_000)
	whole := serverFrame(0x82, long)
	for what, test := range map[string]struct {
		before []byte // sent before the revocation
		after  []byte // sent after it
		want   []byte
	}{
		"nothing yet":          {nil, nil, nil},
		"a message":            {serverFrame(0x81, []byte("hello")), nil, serverFrame(0x81, []byte("hello"))},
		"an empty frame":       {[]byte{0x81, 0}, nil, []byte{0x81, 0}},
		"first of a fragment":  {serverFrame(0x01, []byte("hel")), serverFrame(0x80, []byte("lo")), serverFrame(0x01, []byte("hel"))},
		"compressed fragment":  {serverFrame(0x41, []byte{0xca, 0x48}), serverFrame(0x80, []byte{0xcd, 0x07}), serverFrame(0x41, []byte{0xca, 0x48})},
		"half of a frame":      {whole[:50_000], append(whole[50_000:len(whole):len(whole)], serverFrame(0x81, []byte("late"))...), whole},
		"half of a header":     {whole[:5], whole[5:], whole},
		"first byte of one":    {whole[:1], whole[1:], whole},
		"in a fragment's half": {serverFrame(0x01, long)[:7], serverFrame(0x01, long)[7:], serverFrame(0x01, long)},
	} {
		t.Run(what, func(t *testing.T) {
			w := newStreamWorld(t)
			goOn, answered := make(chan struct{}), make(chan []byte, 1)
			w.upstream.raw = func(conn net.Conn) {
				_, _ = conn.Write(test.before)
				<-goOn
				_, _ = conn.Write(test.after)
				got := make([]byte, len(clientClose))
				_, _ = io.ReadFull(conn, got)
				answered <- got
			}
			token, value := w.issue(t)
			conn, reader := w.byHand(t, value, "")
			got := make([]byte, len(test.before))
			if _, err := io.ReadFull(reader, got); err != nil {
				t.Fatal(err)
			}
			w.revoke(t, token)
			began := time.Now()
			close(goOn)
			for !bytes.HasSuffix(got, unauthorizedFrame) {
				next, err := reader.ReadByte()
				if err != nil {
					t.Fatalf("%v after %d bytes", err, len(got))
				}
				got = append(got, next)
			}
			// What came before the answer about the token may have gone through as well.
			got = got[:len(got)-len(unauthorizedFrame)]
			if sent := slices.Concat(test.before, test.after); !bytes.Equal(got, test.want) && !bytes.Equal(got, sent) {
				t.Errorf("the close frame stands after %d bytes of %d", len(got), len(sent))
			}
			// The client's answer goes to the upstream, and then both sides are closed.
			if _, err := conn.Write(clientClose); err != nil {
				t.Fatal(err)
			}
			if more, _ := io.ReadAll(reader); len(more) > 0 || time.Since(began) > promised {
				t.Errorf("%q after the close frame, after %s", more, time.Since(began))
			}
			if got := <-answered; !bytes.Equal(got, clientClose) {
				t.Errorf("the upstream got %x", got)
			}
		})
	}
}

// G6: a frame that is not finished within the second is cut.
func TestHalfFrameIsCut(t *testing.T) {
	w := newStreamWorld(t)
	sent := make(chan error, 1)
	w.upstream.raw = func(conn net.Conn) {
		_, _ = conn.Write(serverFrame(0x82, make([]byte, 1000))[:500])
		_, err := conn.Read(make([]byte, 1))
		sent <- err
	}
	token, value := w.issue(t)
	_, reader := w.byHand(t, value, "")
	if _, err := io.ReadFull(reader, make([]byte, 500)); err != nil {
		t.Fatal(err)
	}
	w.revoke(t, token)
	began := time.Now()
	if rest, _ := io.ReadAll(reader); len(rest) > 0 || time.Since(began) > promised {
		t.Errorf("%x after %s", rest, time.Since(began))
	}
	if err := <-sent; err == nil {
		t.Error("the upstream was not told")
	}
}

// A close frame of the upstream is the last one: ours does not follow.
func TestUpstreamClosesFirst(t *testing.T) {
	w := newStreamWorld(t)
	bye := serverFrame(0x88, []byte{0x03, 0xe8})
	w.upstream.raw = func(conn net.Conn) {
		_, _ = conn.Write(bye)
		_, _ = io.Copy(io.Discard, conn)
	}
	token, value := w.issue(t)
	_, reader := w.byHand(t, value, "")
	if _, err := io.ReadFull(reader, make([]byte, len(bye))); err != nil {
		t.Fatal(err)
	}
	w.revoke(t, token)
	if rest, _ := io.ReadAll(reader); len(rest) > 0 {
		t.Errorf("%x after its close frame", rest)
	}
}

// What a client sends before the answer to its upgrade is not lost.
func TestEarlyFramesArrive(t *testing.T) {
	w := newStreamWorld(t)
	early := string([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'})
	_, value := w.issue(t)
	_, reader := w.byHand(t, value, early)
	got := make([]byte, 4)
	if _, err := io.ReadFull(reader, got); err != nil || string(got) != "\x81\x02hi" {
		t.Errorf("%q, %v", got, err)
	}
}

// Compression and subprotocols are the client's and the upstream's.
func TestWebSocketsPassThrough(t *testing.T) {
	w := newStreamWorld(t)
	_, value := w.issue(t)
	conn, got := w.dial(t, "/ws?topic=a%20b", value)
	if conn == nil {
		t.Fatalf("status %d", got.status)
	}
	if conn.Subprotocol() != "graphql-transport-ws" || !strings.HasPrefix(got.header.Get("Sec-WebSocket-Extensions"), "permessage-deflate") {
		t.Errorf("subprotocol %q, %v", conn.Subprotocol(), got.header)
	}
	echoes(t, conn)
	if err := conn.Write(t.Context(), websocket.MessageBinary, bytes.Repeat([]byte{1, 2, 3}, 10_000)); err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	if kind, message, err := conn.Read(t.Context()); err != nil || kind != websocket.MessageBinary || len(message) != 30_000 {
		t.Errorf("%v, %d bytes, %v", kind, len(message), err)
	}
	if err := conn.Close(websocket.StatusNormalClosure, "done"); err != nil {
		t.Error(err)
	}
	if err := <-w.upstream.ended; websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("upstream: %v", err)
	}
	eventually(t, "nothing is open", func() bool { return w.streams.OfTeam(w.ana.TeamID) == 0 })
	if asked := w.upstream.asked(); len(asked) != 1 || asked[0] != "/ws?topic=a%20b " {
		t.Errorf("the upstream was asked %q", asked)
	}
}

// G5: a route without ws takes none, one with origins takes no others.
func TestWhoMayUpgrade(t *testing.T) {
	plain := newStreamWorld(t, func(route *models.Upstream) { route.WebSocket = false })
	_, value := plain.issue(t)
	wantUpgrade(t, plain, "/ws", value, http.StatusForbidden, "This route takes no WebSockets.")
	wantUpgrade(t, plain, "/ws?token="+value, "", http.StatusForbidden, "This route takes no WebSockets.")

	listed := newStreamWorld(t, func(route *models.Upstream) { route.Origins = []string{"https://app.example.com"} })
	_, value = listed.issue(t)
	for _, origin := range []string{"https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null", ""} {
		wantUpgrade(t, listed, "/ws", value, http.StatusForbidden, "Pages of this origin may not open WebSockets here.", "Origin", origin)
	}
	wantUpgrade(t, listed, "/ws", value, http.StatusForbidden, "this origin", "Origin", "https://app.example.com", "Origin", "https://evil.example")
	wantUpgrade(t, listed, "/ws", value, http.StatusSwitchingProtocols, "", "Origin", "https://app.example.com")
	wantUpgrade(t, listed, "/ws", value, http.StatusSwitchingProtocols, "")
	// Another protocol is not offered to the upstream, and the request is answered as it is.
	if got := listed.get(t, "/said", value, "Connection", "Upgrade", "Upgrade", "h2c"); got.status != http.StatusOK {
		t.Errorf("h2c: %d", got.status)
	}
}

// wantUpgrade tries to open a WebSocket.
func wantUpgrade(t *testing.T, w *streamWorld, path, value string, status int, text string, headers ...string) {
	t.Helper()
	conn, got := w.dial(t, path, value, headers...)
	var body []byte
	if conn == nil {
		body, _ = io.ReadAll(got.body)
	} else {
		_ = conn.CloseNow()
	}
	if got.status != status || !strings.Contains(string(body), text) {
		t.Errorf("%v: %d %q, want %d %q", headers, got.status, body, status, text)
	}
}
