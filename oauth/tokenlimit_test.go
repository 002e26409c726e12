package oauth_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/store"
)

const (
	office = "198.51.100.7"
	home   = "203.0.113.9"
)

func from(address string) []string { return []string{"X-Forwarded-For", address} }

// fail sends wrong credentials of the same client n times.
func (s *server) fail(t *testing.T, n int, address string) {
	t.Helper()
	for i := range n {
		if got := s.post(t, strings.Replace(s.credentials(""), "client_secret=", "client_secret=x", 1), from(address)...); got.status != 401 {
			t.Fatalf("failure %d from %s: %d %s", i+1, address, got.status, got.body)
		}
	}
}

// wait reads Retry-After.
func wait(t *testing.T, got answer) time.Duration {
	t.Helper()
	seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		t.Fatalf("Retry-After is %q", got.header.Get("Retry-After"))
	}
	return time.Duration(seconds) * time.Second
}

func TestTokenLimitPerClientAndAddress(t *testing.T) {
	s := newServer(t)
	other, otherSecret := s.client(t, "Other", "api")
	s.fail(t, 29, office)
	refusal(t, "good, after 29 failures", s.post(t, s.credentials(""), from(office)...), 200, "")
	s.Wait(600 * time.Millisecond)
	s.fail(t, 1, office)
	slow := s.post(t, s.credentials(""), from(office)...)
	refusal(t, "good, after 30 failures", slow, 429, "too_many_requests")
	refusal(t, "wrong, after 30 failures", s.post(t, s.credentials("")+"x", from(office)...), 429, "too_many_requests")
	refusal(t, "good, from elsewhere", s.post(t, s.credentials(""), from(home)...), 200, "")
	refusal(t, "forged in front of the address", s.post(t, s.credentials(""), from(home+", "+office)...), 429, "too_many_requests") // G3
	refusal(t, "another client, same address", s.post(t, "grant_type=client_credentials&client_id="+other.ClientID+"&client_secret="+otherSecret, from(office)...), 200, "")
	if wait(t, slow) > time.Minute {
		t.Errorf("Retry-After is %v", wait(t, slow))
	}
	s.Wait(wait(t, slow))
	refusal(t, "after as long as Retry-After says", s.post(t, s.credentials(""), from(office)...), 200, "")
	s.fail(t, 29, office)
	refusal(t, "a new window counts from zero", s.post(t, s.credentials(""), from(office)...), 200, "")
}

// Failures further apart than the window never add up.
func TestTokenLimitForgetsSlowFailures(t *testing.T) {
	s := newServer(t)
	for range 3 {
		s.fail(t, 29, office)
		s.Wait(time.Minute)
	}
	refusal(t, "good", s.post(t, s.credentials(""), from(office)...), 200, "")
}

func TestTokenLimitPerAddress(t *testing.T) {
	const neighbour = "2001:db8:1:2::" // all of one /64 is one address
	for address, alike := range map[string]string{office: office, neighbour + "1": neighbour + "ffff"} {
		s := newServer(t)
		for i := range 300 {
			body := "grant_type=client_credentials" // none at all counts too
			if i%3 > 0 {
				body += "&client_id=" + store.NewID() + "&client_secret=x"
			}
			if got := s.post(t, body, from(address)...); got.status != 401 {
				t.Fatalf("failure %d: %d %s", i+1, got.status, got.body)
			}
		}
		slow := s.post(t, s.credentials(""), from(alike)...)
		refusal(t, "good, after 300 failures of others", slow, 429, "too_many_requests")
		refusal(t, "from elsewhere", s.post(t, s.credentials(""), from(home)...), 200, "")
		s.Wait(wait(t, slow))
		refusal(t, "when the window has ended", s.post(t, s.credentials(""), from(alike)...), 200, "")
	}
}

// A6: what is slowed down is answered in full and counted in the log.
func TestTokenLimitIsLogged(t *testing.T) { // A3
	s := newServer(t)
	s.fail(t, 30, office)
	s.post(t, s.credentials(""), from(office)...)
	log := s.log.String()
	if strings.Count(log, `"client":"`+s.app.ClientID+`","error":"invalid_client","refused":"wrong client secret"`) != 30 ||
		strings.Count(log, `"error":"too_many_requests","refused":"too many failures of the client from the address"`) != 1 || !strings.Contains(log, `"from":"`+office+`"`) {
		t.Errorf("log: %s", log)
	}
}
