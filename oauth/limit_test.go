package oauth_test

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
)

// failing are ways in which one client fails, each against its limit.
func failing(t *testing.T, s *server, by caller) map[string]func(i int, address string) answer {
	forger := newKeyPair(t, jose.EdDSA)
	wrong := caller{by.id, "wrong"}.form("&token=x&grant_type=client_credentials")
	forged := asserted(forger.sign(t, s.claims(models.Application{ClientID: by.id})), "")
	return map[string]func(i int, address string) answer{
		"introspect": func(_ int, address string) answer { return s.call(t, "introspect", wrong, from(address)...) },
		"revoke":     func(_ int, address string) answer { return s.call(t, "revoke", wrong, from(address)...) },
		"assertion":  func(i int, address string) answer { return s.call(t, endpoints[i%3], forged, from(address)...) },
		"all of it": func(i int, address string) answer {
			return s.call(t, endpoints[i%3], []string{wrong, forged}[i%2], from(address)...)
		},
	}
}

// Every way of failing counts, at every endpoint, and stops the client from that
// address alone.
func TestLimitPerClientEverywhere(t *testing.T) {
	s := newServer(t)
	for what, fail := range failing(t, s, s.me()) {
		for i := range 30 {
			outcome(t, what, endpoints[0], fail(i, office), "invalid_client")
		}
		slow := fail(0, office)
		refusal(t, what, slow, 429, "too_many_requests")
		for _, endpoint := range endpoints {
			good := s.me().form("&token=x&grant_type=client_credentials")
			refusal(t, what+", then good at "+endpoint, s.call(t, endpoint, good, from(office)...), 429, "too_many_requests")
			outcome(t, what+", good from elsewhere", endpoint, s.call(t, endpoint, good, from(home)...), "")
		}
		if wait(t, slow) > time.Minute {
			t.Errorf("%s: Retry-After is %v", what, wait(t, slow))
		}
		s.Wait(wait(t, slow))
		outcome(t, what+", a minute later", "token", s.post(t, s.credentials(""), from(office)...), "")
	}
}

func TestLimitPerAddressEverywhere(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	forger := newKeyPair(t, jose.EdDSA)
	for i := range 300 {
		body := caller{store.NewID(), "x"}.form("&token=x")
		switch i % 3 {
		case 1:
			body = asserted(forger.sign(t, s.claims(models.Application{ClientID: store.NewID()})), "")
		case 2:
			body = asserted("no JWT", "")
		}
		outcome(t, "failure", "any", s.direct(t, aboutTokens[i%2], body, from(office)...), "invalid_client")
	}
	for _, endpoint := range aboutTokens {
		slow := s.call(t, endpoint, s.me().form("&token=x"), from(office)...)
		refusal(t, "good at "+endpoint+", after 300 failures of others", slow, 429, "too_many_requests")
		outcome(t, "from elsewhere", endpoint, s.call(t, endpoint, s.me().form("&token=x"), from(home)...), "")
	}
	refusal(t, "resource server", s.introspect(t, api, "x"), 200, "")
	if got := s.ask(t, "GET", "/oauth2/verify", "", "Authorization", "Bearer "+s.token(t, ""), "X-Forwarded-For", office); got.status != 200 {
		t.Errorf("a good token is slowed down: %d", got.status)
	}
}

// What is no failed authentication does not count: bad input, refused scopes,
// tokens that are not good, and what is right.
func TestLimitCountsFailuresAlone(t *testing.T) {
	s := newServer(t)
	api := s.resourceServer(t, "Orders")
	for range 40 {
		for endpoint, body := range map[string]string{
			"introspect": api.form("&token=x"), "revoke": s.me().form(""), "token": s.credentials("&scope=admin"),
		} {
			if got := s.direct(t, endpoint, body, from(office)...); got.status == 429 || got.status == 401 {
				t.Fatalf("%s: %d", endpoint, got.status)
			}
		}
		s.direct(t, "token", "grant_type=client_credentials&"+api.form(""), from(office)...)
	}
	outcome(t, "good", "token", s.post(t, s.credentials(""), from(office)...), "")
}

// emptyStore knows no client but those of its map.
type emptyStore struct {
	*store.Store
	known map[string]bool
}

func (e emptyStore) ClientByID(ctx context.Context, id string) (models.Client, error) {
	if e.known[id] {
		return e.Store.ClientByID(ctx, id)
	}
	return models.Client{}, models.ErrNotFound
}

// R3: a hundred thousand unknown clients from as many addresses fill what is
// remembered to its bound and no further, push out nobody who waits, and keep
// nobody out.
func TestLimitMemoryIsBounded(t *testing.T) {
	s := newServer(t)
	deps := s.deps(t, s.Store)
	deps.Clients = tokens.NewClients(emptyStore{s.Store, map[string]bool{s.app.ClientID: true}}, tokens.NewCache())
	s.serve(t, deps, time.Minute)
	s.log.mute()
	s.fail(t, 30, office)
	flood := func(from, to int) {
		for i := from; i < to; i++ {
			address := netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}).String()
			body := fmt.Sprintf("client_id=00000000-0000-4000-8000-%012d&client_secret=x&token=x&grant_type=client_credentials", i)
			if got := s.direct(t, endpoints[i%3], body, "X-Forwarded-For", address); got.status != 401 {
				t.Fatalf("client %d: %d %s", i, got.status, got.body)
			}
		}
	}
	before := heap()
	flood(0, 70_000)
	full := heap()
	flood(70_000, 100_000)
	after := heap()
	if after-before > 40<<20 || after-full > 4<<20 {
		t.Errorf("the heap grew by %d kB, of that %d kB by the last 30,000", (after-before)>>10, (after-full)>>10)
	}
	refusal(t, "good", s.post(t, s.credentials(""), from(home)...), 200, "")
	refusal(t, "who waits", s.post(t, s.credentials(""), from(office)...), 429, "too_many_requests")
}

// heap is what is in use after a collection.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
