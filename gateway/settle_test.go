package gateway_test

import (
	"net/http"
	"testing"

	"github.com/coder/websocket"
)

// A stream is paid for when it begins. Points that are only kept for it would be left on
// the Usage page, to nobody's use, and it would never end for want of points.
func TestStreamsAreSettledWhenTheyBegin(t *testing.T) {
	g := newGate(t, "/ws=UP/ws;ws;cost=5 /sse=UP/sse;cost=3")
	asked := g.request(t, http.MethodGet, "/ws", nil)
	socket, answer, err := websocket.Dial(t.Context(), asked.URL.String(), &websocket.DialOptions{HTTPHeader: asked.Header})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Body != nil {
		_ = answer.Body.Close()
	}
	defer func() { _ = socket.CloseNow() }()
	if got := g.meter.next(t); got.status != http.StatusSwitchingProtocols || got.Cost != 5 {
		t.Errorf("the WebSocket: %+v", got)
	}
	events, err := g.Client().Do(g.request(t, http.MethodGet, "/sse", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	if got := g.meter.next(t); got.status != http.StatusOK || got.Cost != 3 {
		t.Errorf("the events: %+v", got)
	}
	if open := g.gateway.Open(); open != 2 {
		t.Errorf("%d calls are open", open)
	}
	_ = socket.CloseNow()
	_ = events.Body.Close()
	eventually(t, "both are over", func() bool { return g.gateway.Open() == 0 })
	g.meter.settled(t)
}
