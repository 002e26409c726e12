package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
)

// slowRequest is a request to the token endpoint of which the last byte is
// still to come.
type slowRequest struct {
	conn    net.Conn
	answers *bufio.Reader
	last    string
}

// beginRequest returns when the server has begun to read the body: what it had
// not begun to serve when it is asked to stop, it may drop.
func beginRequest(t testing.TB, base, clientID, secret string) slowRequest {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}}.Encode()
	host := strings.TrimPrefix(base, "http://")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "POST /oauth2/token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", host, len(form))
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	if res, err := http.ReadResponse(answers, nil); err != nil || res.StatusCode != http.StatusContinue { //nolint:bodyclose // it has none
		t.Fatalf("asked whether to go on: %v, %v", res, err)
	}
	if _, err := io.WriteString(conn, form[:len(form)-1]); err != nil {
		t.Fatal(err)
	}
	return slowRequest{conn, answers, form[len(form)-1:]}
}

// end sends the last byte and returns the token that is answered.
func (r slowRequest) end() (string, error) {
	defer r.conn.Close()
	if _, err := io.WriteString(r.conn, r.last); err != nil {
		return "", err
	}
	res, err := http.ReadResponse(r.answers, nil)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	_, after, _ := strings.Cut(string(body), `"access_token":"`)
	token, _, ok := strings.Cut(after, `"`)
	if res.StatusCode != http.StatusOK || !ok {
		return "", fmt.Errorf("%s %s", res.Status, body)
	}
	return token, nil
}

// TestStopCutsNothing asks the program to stop while requests run. Each is
// answered, its token outlives the stop, and what was used is remembered.
func TestStopCutsNothing(t *testing.T) {
	s, ana := owner(t)
	app := ana.create("Trading bot")
	clientID, secret := ana.clientIDOf(app), ana.reveal(app+"/secret")
	manual := ana.reveal(ana.generate(app, "laptop"))
	var running []slowRequest
	for range 8 {
		running = append(running, beginRequest(t, s.base, clientID, secret))
	}
	newClient(t, s.base).wantGood(manual)
	s.Signal(syscall.SIGTERM)
	eventually(t, func() string {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.base, "http://"))
		if err == nil {
			defer conn.Close()
			return "the program still takes connections after SIGTERM"
		}
		return ""
	})
	tokens := []string{manual}
	for _, r := range running {
		token, err := r.end()
		if err != nil {
			t.Errorf("a request was cut: %v", err)
		}
		tokens = append(tokens, token)
	}
	s.Wait()
	if code := s.Cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d, want 0\n%s", code, s.Stderr)
	}
	for _, table := range []string{"tokens", "client_secrets", "applications"} {
		if number(t, s.dir, "SELECT max(last_used_at) FROM "+table) == 0 {
			t.Errorf("the last use of %s is not stored", table)
		}
	}
	again := startIn(t, s.dir)
	for _, token := range tokens {
		newClient(t, again.base).wantGood(token)
	}
	ana.base = again.base
	if got := ana.get(app); got.status != http.StatusOK || got.path != app {
		t.Errorf("the session did not outlive the restart: %s", got.path)
	}
}
