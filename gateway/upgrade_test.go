package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// G4, G5: a WebSocket is the one protocol that is switched to. Another one, such as
// HTTP/2, would bring calls past the gateway that nobody has checked.
func TestNoOtherProtocolThanWebSocket(t *testing.T) {
	var asked []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Values("Upgrade")
		if len(asked) == 0 {
			return
		}
		conn, out, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		// It switches to whatever comes first, as lenient servers do.
		_, _ = fmt.Fprintf(out, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\nswitched", r.Header.Get("Upgrade"))
		_ = out.Flush()
	}))
	t.Cleanup(api.Close)
	for name, upgrade := range map[string]string{
		"two lines": "Upgrade: h2c\r\nUpgrade: websocket", "two lines, turned": "Upgrade: websocket\r\nUpgrade: h2c",
		"an empty one": "Upgrade:\r\nUpgrade: websocket", "a list": "Upgrade: h2c, websocket", "a list, turned": "Upgrade: websocket, h2c", "with a version": "Upgrade: h2c/1, websocket",
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t, "/ws="+api.URL+";ws")
			conn := g.dial(t)
			_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "+value+"\r\nConnection: Upgrade\r\n"+upgrade+"\r\n\r\n")
			res, _ := readAnswer(t, conn)
			if got := strings.Join(asked, ","); got != "websocket" || res.StatusCode != http.StatusSwitchingProtocols {
				t.Errorf("%s, and the upstream was asked for %q", res.Status, asked)
			}
		})
	}
}

// G1: an upstream that switches unasked gets no connection of a client.
func TestUnaskedSwitch(t *testing.T) {
	for _, lines := range []string{"", "Connection: Upgrade\r\nUpgrade: websocket\r\n"} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, out, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = out.WriteString("HTTP/1.1 101 Switching Protocols\r\n" + lines + "\r\nHTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n\r\n")
			_ = out.Flush()
		}))
		t.Cleanup(api.Close)
		g := newGate(t, "/v1="+api.URL+";ws")
		if answer := g.get(t, "/v1"); answer.StatusCode != http.StatusBadGateway {
			t.Errorf("%d %q", answer.StatusCode, answer.body)
		}
		if c := g.meter.next(t); c.status != http.StatusBadGateway || c.points != 0 {
			t.Errorf("%+v", c)
		}
	}
}
