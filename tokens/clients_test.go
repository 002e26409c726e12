package tokens_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// door is where one client proves itself, over a fake store.
type door struct {
	*tokens.Clients
	store *fakeStore
	cache *tokens.Cache
}

func newDoor(cache *tokens.Cache) *door {
	store := &fakeStore{client: clientWith("right")}
	return &door{Clients: tokens.NewClients(store, cache), store: store, cache: cache}
}

func clientWith(secret string) models.Client {
	return models.Client{ClientID: "client", Application: models.Application{ID: "app"}, Proofs: models.Proofs{Secrets: []models.ClientSecret{{ID: "s", Hash: []byte(secret)}}}}
}

func presents(secret string) func(*models.Client) bool {
	return func(c *models.Client) bool { return len(c.Secrets) == 1 && string(c.Secrets[0].Hash) == secret }
}

// wants proves a secret and checks the outcome and how often the store was asked.
func (d *door) wants(t *testing.T, what, secret string, want error, wantAsked int) {
	t.Helper()
	before := d.store.asked(0)
	client, err := d.Prove(t.Context(), "client", presents(secret))
	asked := d.store.asked(0) - before
	if !errors.Is(err, want) || (client == nil) != (want != nil) || asked != wantAsked {
		t.Errorf("%s: %+v, %v with %d look-ups, want %v with %d", what, client, err, asked, want, wantAsked)
	}
	if client != nil && (client.ClientID != "client" || client.Application.ID != "app") {
		t.Errorf("%s: proved as %+v", what, client)
	}
}

func (d *door) wantsClients(t *testing.T, want int) {
	t.Helper()
	if _, got := d.cache.Holds(); got != want {
		t.Errorf("%d clients are remembered, want %d", got, want)
	}
}

// O4: a client is remembered once it proved itself; a wrong proof is compared with
// what the store says each time.
func TestProve(t *testing.T) {
	d := newDoor(tokens.Trusted())
	for range 3 {
		d.wants(t, "wrong before", "wrong", models.ErrNotFound, 1)
		d.wantsClients(t, 0)
	}
	d.wants(t, "right", "right", nil, 1)
	d.wantsClients(t, 1)
	for range 3 {
		d.wants(t, "right again", "right", nil, 0)
		d.wants(t, "wrong after", "wrong", models.ErrNotFound, 1)
	}
	d.store.client, d.store.clientErr = models.Client{}, models.ErrNotFound
	d.wants(t, "wrong, and gone from the store", "wrong", models.ErrNotFound, 1)
	d.cache.Forget(models.Notice{ApplicationID: "app", ClientID: "client"})
	d.wants(t, "right, and gone from the store", "right", models.ErrNotFound, 1)
}

// O4: for a client that does not exist the same work is done, on an empty one, and
// not even a check that says yes lets it in. R3: nor is it remembered.
func TestProveUnknownClient(t *testing.T) {
	d := newDoor(tokens.Trusted())
	d.store.client, d.store.clientErr = models.Client{}, models.ErrNotFound
	for name, verdict := range map[string]bool{"no": false, "yes": true} {
		var seen []models.Client
		client, err := d.Prove(t.Context(), "nobody", func(c *models.Client) bool {
			seen = append(seen, *c)
			return verdict
		})
		if client != nil || !errors.Is(err, models.ErrNotFound) || len(seen) != 1 || !reflect.DeepEqual(seen[0], models.Client{}) {
			t.Errorf("check says %s: %+v, %v, checked %+v", name, client, err, seen)
		}
	}
	d.wantsClients(t, 0)
}

// O4: who hangs up before the answer has still tried. A wrong proof is checked once,
// whether the client is remembered or not.
func TestProveForNobody(t *testing.T) {
	d := newDoor(tokens.Trusted())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	d.store.who = func(ctx context.Context, _ string) (models.Client, error) { return clientWith("right"), ctx.Err() }
	for _, what := range []string{"unknown to the cache", "remembered"} {
		checked := 0
		_, err := d.Prove(gone, "client", func(c *models.Client) bool { checked++; return presents("wrong")(c) })
		if !errors.Is(err, models.ErrNotFound) || checked != 1 {
			t.Errorf("%s: %v after %d checks", what, err, checked)
		}
		if _, err := d.Prove(gone, "client", presents("right")); err != nil {
			t.Errorf("%s, right: %v", what, err)
		}
	}
}

// A6: what the store cannot say is neither yes nor no.
func TestProveWithAFaultyStore(t *testing.T) {
	for _, cause := range []error{models.ErrUnavailable, models.ErrBusy, context.DeadlineExceeded, errors.New("odd")} {
		d := newDoor(tokens.Trusted())
		d.store.clientErr = cause
		client, err := d.Prove(t.Context(), "client", func(*models.Client) bool {
			t.Error("compared with what may be half read")
			return true
		})
		if client != nil || !errors.Is(err, cause) || errors.Is(err, models.ErrNotFound) {
			t.Errorf("%v: %+v, %v", cause, client, err)
		}
		d.wantsClients(t, 0)
		d.store.clientErr = nil
		d.wants(t, "back", "right", nil, 1)
	}
}

// A secret that was rotated elsewhere is good as soon as the store has it, without
// a notice, and then remembered.
func TestProveFreshSecret(t *testing.T) {
	d := newDoor(tokens.Trusted())
	d.wants(t, "old", "right", nil, 1)
	d.store.client = clientWith("rotated")
	d.wants(t, "new", "rotated", nil, 1)
	d.wants(t, "new again", "rotated", nil, 0)
	d.wants(t, "old again", "right", models.ErrNotFound, 1)
	d.wants(t, "new after that", "rotated", nil, 0)
	d.wantsClients(t, 1)
}

// Promise 2: what a notice names is read anew by the very next proof.
func TestProveAfterANotice(t *testing.T) {
	for what, test := range map[string]struct {
		notice models.Notice
		asked  int
	}{
		"this client":         {models.Notice{ClientID: "client"}, 1},
		"its application":     {models.Notice{ApplicationID: "app", ClientID: "client"}, 1},
		"another client":      {models.Notice{ApplicationID: "other", ClientID: "other"}, 0},
		"a token of another":  {models.Notice{TokenHash: make([]byte, 32)}, 0},
		"nothing of a client": {models.Notice{}, 0},
	} {
		d := newDoor(tokens.Trusted())
		d.wants(t, what, "right", nil, 1)
		d.store.client = clientWith("rotated")
		d.cache.Forget(test.notice)
		if test.asked == 1 {
			d.wants(t, what, "right", models.ErrNotFound, 1)
		} else {
			d.wants(t, what, "right", nil, 0)
		}
	}
}

// T6: a client that was read before a notice is not remembered after it.
func TestProveThatBeganBeforeANotice(t *testing.T) {
	for what, notice := range map[string]models.Notice{
		"this client": {ApplicationID: "app", ClientID: "client"}, "another": {ClientID: "other"}, "a token": {TokenHash: make([]byte, 32)},
	} {
		onOneProcessor(t, func(t *testing.T) {
			d := newDoor(tokens.Trusted())
			hold := make(chan struct{})
			d.store.who = func(context.Context, string) (models.Client, error) { <-hold; return clientWith("right"), nil }
			proved := make(chan error, 1)
			go func() {
				_, err := d.Prove(t.Context(), "client", presents("right"))
				proved <- err
			}()
			synctest.Wait()
			d.cache.Forget(notice)
			close(hold)
			if err := <-proved; err != nil {
				t.Errorf("%s: the read itself: %v", what, err)
			}
			d.wantsClients(t, 0)
			d.store.who, d.store.client = nil, clientWith("rotated")
			d.wants(t, what, "right", models.ErrNotFound, 1)
		})
	}
}

// T6: without a feed nothing is remembered of clients either.
func TestProveWithoutAFeed(t *testing.T) {
	d := newDoor(tokens.NewCache())
	for range 3 {
		d.wants(t, "right", "right", nil, 1)
		d.wantsClients(t, 0)
	}
}
