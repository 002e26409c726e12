package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/latchkey/latchkey/gateway/gatewaytest"
)

const gatewayBase = "https://" + gatewayHost

// gateway is the third host of the examples: calls, bodies and WebSockets pass through the
// proxy, and end with their token behind it too.
func (e *edge) gateway(t *testing.T) {
	ana := e.as(t)
	path := ana.generate(ana.create("Streaming"), "laptop")
	token := ana.reveal(path)

	// G2, G3: the API is told of the client by the proxy, whatever the client says.
	long := strings.Repeat("x", 3<<20)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, gatewayBase+"/a%20b?c=d", strings.NewReader(long))
	must(t, err)
	r.Header = http.Header{
		"Authorization": {"Bearer " + token}, "X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Host": {"other.example.com"}, "X-Forwarded-Proto": {"http"},
	}
	got := e.send(t, e.http, r)
	var seen gatewaytest.Seen
	if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &seen) != nil || seen.URI != "/a%20b?c=d" || seen.Body != long {
		t.Fatalf("%d %.300s", got.status, got.body)
	}
	for name, want := range map[string]string{
		"X-Forwarded-For": e.from + ", 127.0.0.1", "X-Forwarded-Host": gatewayHost, "X-Forwarded-Proto": "https", "Authorization": "",
	} {
		if seen.Headers.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, seen.Headers.Get(name), want)
		}
	}
	r, err = http.NewRequestWithContext(t.Context(), http.MethodGet, gatewayBase+"/login", nil)
	must(t, err)
	if got := e.send(t, e.http, r); got.status != http.StatusUnauthorized {
		t.Errorf("/login of the gateway: %d", got.status)
	}

	// G5, G6: the token in the address is for the gateway alone (logs looks for e.wide), and
	// what is open ends with it.
	for _, value := range []string{e.wide, token} {
		socket := e.socket(t, value)
		must(t, socket.Write(t.Context(), websocket.MessageText, []byte("there and back")))
		if _, message, err := socket.Read(t.Context()); err != nil || string(message) != "there and back" {
			t.Fatalf("%q, %v", message, err)
		}
		if value != token {
			must(t, socket.Close(websocket.StatusNormalClosure, ""))
			continue
		}
		ana.deed(path+"/revoke", nil)
		if _, _, err := socket.Read(t.Context()); websocket.CloseStatus(err) != 4401 {
			t.Errorf("after Revoke: %v, want a close with 4401", err)
		}
	}
}

func (e *edge) socket(t *testing.T, token string) *websocket.Conn {
	t.Helper()
	options := &websocket.DialOptions{HTTPClient: &http.Client{Transport: e.transport(false)}}
	socket, _, err := websocket.Dial(t.Context(), "wss://"+gatewayHost+"/ws?token="+token, options) //nolint:bodyclose // the library closes it
	must(t, err)
	t.Cleanup(func() { _ = socket.CloseNow() })
	return socket
}
