package oauth_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// An assertion counts once: here, at another endpoint, on another node, after a
// restart; and to the end of its life.
func TestAssertionCountsOnce(t *testing.T) {
	s := newServer(t)
	pair := s.addKey(t, s.ana, s.app, jose.ES256)
	second := s.addKey(t, s.ana, s.app, jose.EdDSA)
	node := s.again(t)
	once := s.claims(s.app).with("exp", s.inSeconds(5*time.Minute))
	used := asserted(pair.sign(t, once), "")
	outcome(t, "first", "token", s.post(t, used), "")
	for _, on := range []*server{s, node, s.again(t)} {
		for _, endpoint := range endpoints {
			outcome(t, "again", endpoint, on.call(t, endpoint, used), "invalid_client")
			outcome(t, "same ID, signed anew", endpoint, on.call(t, endpoint, asserted(pair.sign(t, once), "")), "invalid_client")
			outcome(t, "same ID, another key", endpoint, on.call(t, endpoint, asserted(second.sign(t, once.with("aud", issuerURL+"/oauth2/token")), "")), "invalid_client")
		}
	}
	s.Wait(5*time.Minute - time.Millisecond)
	if err := s.Sweep(t.Context(), time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	outcome(t, "a millisecond before its end, swept", "token", s.post(t, used, elsewhere()...), "invalid_client")
	s.Wait(time.Millisecond)
	if err := s.Sweep(t.Context(), time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	outcome(t, "at its end, swept", "token", s.post(t, used, elsewhere()...), "invalid_client")
	if n := s.stored(t); n != 1 {
		t.Errorf("%d tokens were issued", n)
	}
}

// An ID is used up by what was accepted, and by its own application alone.
func TestAssertionIDBelongsToItsApplication(t *testing.T) {
	s := newServer(t)
	pair := s.addKey(t, s.ana, s.app, jose.ES256)
	bo := s.Member(t, "southwind", "bo", models.RoleOwner)
	other, _ := s.clientOf(t, bo, "Trading bot", "api")
	otherPair := s.addKey(t, bo, other, jose.ES256)
	mine := s.claims(s.app)
	outcome(t, "forged", "token", s.post(t, asserted(otherPair.sign(t, mine), "")), "invalid_client")
	outcome(t, "of another aud", "token", s.post(t, asserted(pair.sign(t, mine.with("aud", "x")), "")), "invalid_client")
	outcome(t, "first", "token", s.post(t, asserted(pair.sign(t, mine), "")), "")
	outcome(t, "another application", "token", s.post(t, asserted(otherPair.sign(t, s.claims(other).with("jti", mine["jti"])), "")), "")
}

// D8: of fifty at once, on two nodes, one wins.
func TestAssertionConcurrently(t *testing.T) {
	s := newServer(t)
	body := asserted(s.addKey(t, s.ana, s.app, jose.ES256).sign(t, s.claims(s.app)), "")
	node := s.again(t)
	var all sync.WaitGroup
	statuses := make(chan int, 50)
	for i := range cap(statuses) {
		on := []*server{s, node}[i%2]
		all.Go(func() { statuses <- on.direct(t, "token", body, elsewhere()...).status })
	}
	all.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	if count[200] != 1 || count[401] != 49 || s.stored(t) != 1 {
		t.Errorf("statuses %v, %d tokens", count, s.stored(t))
	}
}

// Promise 2: a key that is removed is refused by the next request, whatever else there is.
func TestAssertionByARemovedKey(t *testing.T) {
	s := newServer(t)
	first, second := s.addKey(t, s.ana, s.app, jose.ES256), s.addKey(t, s.ana, s.app, jose.ES256)
	for _, pair := range []keyPair{first, second} {
		outcome(t, "before", "token", s.post(t, asserted(pair.sign(t, s.claims(s.app)), "")), "")
	}
	if _, err := s.RemoveClientKey(t.Context(), s.ana, s.app.ID, first.id); err != nil {
		t.Fatal(err)
	}
	for _, endpoint := range endpoints {
		outcome(t, "removed", endpoint, s.call(t, endpoint, asserted(first.sign(t, s.claims(s.app)), "")), "invalid_client")
		outcome(t, "the other key", endpoint, s.call(t, endpoint, asserted(second.sign(t, s.claims(s.app)), "")), "")
	}
	refusal(t, "the secret", s.post(t, s.credentials("")), 200, "")
}

// T4: an application proves itself by what it has, and not while it is switched off.
func TestAssertionBesideAndWithoutASecret(t *testing.T) {
	s := newServer(t)
	ctx := context.Background()
	pair := s.addKey(t, s.ana, s.app, jose.ES256)
	good := func() string { return asserted(pair.sign(t, s.claims(s.app)), "") }
	outcome(t, "key", "token", s.post(t, good()), "")
	outcome(t, "secret beside a key", "token", s.post(t, s.credentials("")), "")
	if err := s.RemoveSecret(ctx, s.ana, s.app.ID); err != nil {
		t.Fatal(err)
	}
	unknown := s.post(t, "grant_type=client_credentials&"+caller{store.NewID(), "x"}.form(""))
	for _, secret := range []string{s.secret, "x", "no client has this secret"} {
		got := s.post(t, "grant_type=client_credentials&"+caller{s.app.ClientID, secret}.form(""))
		outcome(t, "no secret any more", "token", got, "invalid_client")
		got.sameAs(t, "no secret any more", unknown) // O4
	}
	outcome(t, "key without a secret", "token", s.post(t, good()), "")
	value := s.tokenBy(t, good())
	for _, on := range []bool{false, true} {
		if err := s.SwitchApplication(ctx, s.ana, s.app.ID, on); err != nil {
			t.Fatal(err)
		}
		code := "invalid_client"
		if on {
			code = ""
		}
		for _, endpoint := range endpoints {
			outcome(t, "switched", endpoint, s.call(t, endpoint, good()), code)
		}
	}
	if got := s.call(t, "introspect", strings.Replace(good(), "token=x", "token="+value, 1)); active(t, "own", got) == nil {
		t.Errorf("%s", got.body)
	}
	revoked(t, "by assertion", s.call(t, "revoke", strings.Replace(good(), "token=x", "token="+value, 1)))
	unauthorized(t, "revoked", s.verify(t, value), badToken)
}

// T8: the key that was used shows when; what was refused is no use. A2: neither
// the assertion nor its ID stands in the log.
func TestAssertionLastUsedAndLog(t *testing.T) {
	s := newServer(t)
	used, unused := s.addKey(t, s.ana, s.app, jose.ES256), s.addKey(t, s.ana, s.app, jose.ES256)
	start := s.Now()
	mine := s.claims(s.app)
	good, bad := used.sign(t, mine), newKeyPair(t, jose.ES256).sign(t, mine)
	outcome(t, "good", "introspect", s.call(t, "introspect", asserted(good, "")), "")
	s.Wait(time.Second)
	outcome(t, "again", "token", s.post(t, asserted(good, "")), "invalid_client")
	outcome(t, "wrong key", "token", s.post(t, asserted(bad, "")), "invalid_client")
	outcome(t, "other aud", "token", s.post(t, asserted(unused.sign(t, s.claims(s.app).with("aud", "x")), "")), "invalid_client")
	if err := s.settle(); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]models.Time{used.id: start, unused.id: 0} {
		if at, _ := s.lastUsed(t, "SELECT last_used_at, '' FROM client_keys WHERE id = ?", id); at != want {
			t.Errorf("last used at %d, want %d", at, want)
		}
	}
	if at, _ := s.lastUsed(t, "SELECT last_used_at, '' FROM applications WHERE id = ?", s.app.ID); at != start {
		t.Errorf("application: last used at %d, want %d", at, start)
	}
	log := s.log.String()
	for _, part := range append(strings.Split(good, "."), fmt.Sprint(mine["jti"]), strings.Split(bad, ".")[2]) {
		if strings.Contains(log, part) {
			t.Errorf("%s stands in the log", part)
		}
	}
	for _, reason := range []string{ // A3
		"The client assertion was used before: make one for each request.", "wrong signature of a client assertion",
		"The aud of the client assertion is not the issuer or the token endpoint.",
	} {
		if strings.Count(log, `"client":"`+s.app.ClientID+`","error":"invalid_client","refused":"`+reason+`"`) != 1 {
			t.Errorf("the log does not say %s once: %s", reason, log)
		}
	}
}
