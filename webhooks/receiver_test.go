package webhooks_test

import (
	"bytes"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/webhooks"
)

// received is one request that a receiver got.
type received struct {
	header http.Header
	body   []byte
}

// receiver is a real HTTPS server that keeps what it gets.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer http.HandlerFunc // nil answers 204
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		r.got = append(r.got, received{request.Header.Clone(), body})
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, request)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

func (r *receiver) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(r.Certificate())
	return pool
}

// room is a team with a webhook, and a worker that delivers to it.
type room struct {
	t      *testing.T
	db     *storetest.DB
	keys   *secrets.Keys
	ana    models.Actor
	worker *webhooks.Worker
	logged *bytes.Buffer
}

func newRoom(t *testing.T, policy webhooks.Policy, options ...webhooks.Option) *room {
	t.Helper()
	r := &room{t: t, db: storetest.New(t), logged: &bytes.Buffer{}}
	r.ana = r.db.Member(t, "northwind", "ana", models.RoleOwner)
	var err error
	if r.keys, err = secrets.CreateKeys(filepath.Join(t.TempDir(), "keys.json")); err != nil {
		t.Fatal(err)
	}
	r.worker = webhooks.NewWorker(r.db.Store, r.keys, policy, slog.New(slog.NewTextHandler(r.logged, nil)), r.db.Now, options...)
	return r
}

func (r *room) set(address string) {
	r.t.Helper()
	sealed, err := webhooks.NewSecret(r.keys, r.ana.TeamID)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.db.SetWebhook(r.t.Context(), r.ana, address, sealed); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) secret() models.Secret {
	r.t.Helper()
	hook, err := r.db.RevealWebhookSecret(r.t.Context(), r.ana)
	if err != nil {
		r.t.Fatal(err)
	}
	secret, err := webhooks.OpenSecret(r.keys, hook)
	if err != nil {
		r.t.Fatal(err)
	}
	return secret
}

// test queues a test event, and round tries what is due.
func (r *room) test() {
	r.t.Helper()
	err := r.db.TestWebhook(r.t.Context(), r.ana, func(now models.Time) (string, error) { return webhooks.TestBody(r.ana, now) })
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) round() int {
	r.t.Helper()
	tried, err := r.worker.Round(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return tried
}

func (r *room) last() models.Delivery {
	r.t.Helper()
	all, err := r.db.Deliveries(r.t.Context(), r.ana.TeamID)
	if err != nil || len(all) == 0 {
		r.t.Fatal(all, err)
	}
	return all[0]
}
