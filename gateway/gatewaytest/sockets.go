package gatewaytest

import (
	"net/http"

	"github.com/coder/websocket"
)

// echoSocket sends back every message of a WebSocket. What it was asked with is in the
// list of what was seen.
func (u *Upstream) echoSocket(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	u.seen = append(u.seen, Seen{Method: r.Method, URI: r.RequestURI, Host: r.Host, Proto: r.Proto, Headers: r.Header})
	u.mu.Unlock()
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the gateway's host is another than this one
		Subprotocols:       websocketProtocols(r),
	})
	if err != nil {
		return
	}
	u.Arrived <- r.URL.Path
	defer func() { u.Left <- r.URL.Path }()
	defer func() { _ = socket.CloseNow() }()
	for {
		kind, message, err := socket.Read(r.Context())
		if err != nil {
			return
		}
		if socket.Write(r.Context(), kind, message) != nil {
			return
		}
	}
}

// websocketProtocols takes whichever the client names.
func websocketProtocols(r *http.Request) []string { return r.Header.Values("Sec-Websocket-Protocol") }
