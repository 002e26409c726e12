package webhooks_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/webhooks"
)

var allowed = webhooks.Policy{Private: true}

// verify checks a delivery as receivers do, with the library of the specification.
func verify(t *testing.T, secret models.Secret, got received) error {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return hook.VerifyIgnoringTimestamp(got.body, got.header)
}

func TestDeliveryIsSigned(t *testing.T) {
	receiver := newReceiver(t)
	r := newRoom(t, allowed, webhooks.WithRoots(receiver.roots()))
	r.set(receiver.URL + "/a-secret-path")
	r.test()
	if r.round() != 1 || r.round() != 0 || len(receiver.all()) != 1 {
		t.Fatalf("received %d", len(receiver.all()))
	}
	got := receiver.all()[0]
	if err := verify(t, r.secret(), got); err != nil {
		t.Error(err)
	}
	d := r.last()
	if got.header.Get("webhook-id") != d.ID || got.header.Get("webhook-timestamp") != strconv.FormatInt(r.db.Now().Std().Unix(), 10) ||
		got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", got.header)
	}
	var event struct {
		Type, Timestamp string
		Data            map[string]any
	}
	if err := json.Unmarshal(got.body, &event); err != nil || event.Type != "test" || event.Timestamp != "2026-11-23T16:00:00Z" || event.Data["team"] != "northwind" {
		t.Errorf("%+v %v", event, err)
	}
	if d.Status != http.StatusNoContent || d.DeliveredAt.IsZero() || d.Problem != "" || d.Attempts != 1 {
		t.Errorf("%+v", d)
	}
	got.body = append(got.body, ' ')
	if err := verify(t, r.secret(), got); err == nil {
		t.Error("a changed body is good")
	}
	// A2: neither the path of the address nor the secret is logged.
	if line := r.logged.String(); !strings.Contains(line, d.ID) || strings.Contains(line, "secret-path") || strings.Contains(line, "whsec_") || strings.Contains(line, "127.0.0.1") {
		t.Errorf("logged %q", line)
	}
}

func TestRotatedSecretSignsWhatWaits(t *testing.T) {
	receiver := newReceiver(t)
	r := newRoom(t, allowed, webhooks.WithRoots(receiver.roots()))
	r.set(receiver.URL)
	before := r.secret()
	r.test()
	sealed, err := webhooks.NewSecret(r.keys, r.ana.TeamID)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.db.RotateWebhookSecret(t.Context(), r.ana, sealed, ""); err != nil {
		t.Fatal(err)
	}
	r.round()
	if got := receiver.all()[0]; verify(t, before, got) == nil || verify(t, r.secret(), got) != nil {
		t.Error("signed with the secret before")
	}
}

// Failures are tried again, later and later, under the same ID.
func TestFailedDeliveryIsTriedAgain(t *testing.T) {
	receiver := newReceiver(t)
	r := newRoom(t, allowed, webhooks.WithRoots(receiver.roots()))
	r.set(receiver.URL)
	receiver.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	r.test()
	for i, pause := range []time.Duration{time.Minute, 5 * time.Minute} {
		r.round()
		if d := r.last(); d.Attempts != i+1 || d.Status != 500 || d.Problem != "It answered 500 Internal Server Error." || d.NextAt != r.db.Now().Add(pause) {
			t.Errorf("%+v", d)
		}
		r.db.Wait(pause)
	}
	receiver.answers(nil)
	r.round()
	all := receiver.all()
	if d := r.last(); d.Attempts != 3 || d.DeliveredAt.IsZero() || len(all) != 3 {
		t.Errorf("%+v after %d", d, len(all))
	}
	for i, got := range all {
		if got.header.Get("webhook-id") != r.last().ID || verify(t, r.secret(), got) != nil {
			t.Errorf("try %d: %v", i+1, got.header)
		}
	}
	if all[0].header.Get("webhook-timestamp") == all[2].header.Get("webhook-timestamp") {
		t.Error("the time of the try is not signed")
	}
	receiver.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	r.test()
	for range models.MaxAttempts {
		r.round()
		r.db.Wait(24 * time.Hour)
	}
	if d := r.last(); r.round() != 0 || !d.NextAt.IsZero() || d.Attempts != models.MaxAttempts || !strings.Contains(r.logged.String(), "a delivery was given up") {
		t.Errorf("%+v", d)
	}
}

// G7: what comes back is a status and no more.
func TestWhatReceiversMayNot(t *testing.T) {
	elsewhere := newReceiver(t)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	closed := httptest.NewTLSServer(http.NotFoundHandler())
	closed.Close()
	hangs := make(chan struct{})
	t.Cleanup(func() { close(hangs) })
	hang := func(r *http.Request) {
		select {
		case <-hangs:
		case <-r.Context().Done():
		}
	}
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		address string
		problem string
		status  int
	}{
		"redirects": {answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, problem: "It answered 307 Temporary Redirect. Redirects are not followed: enter the address that it leads to.", status: 307},
		"hangs": {answer: func(_ http.ResponseWriter, r *http.Request) { hang(r) }, problem: "No answer came in time."},
		"answers without end": {answer: func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(make([]byte, 1<<16))
			_ = http.NewResponseController(w).Flush()
			hang(r)
		}, status: 200},
		"long headers":      {answer: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<17)) }, problem: "The connection broke before an answer came."},
		"breaks off":        {answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, problem: "The connection broke before an answer came."},
		"no TLS":            {address: strings.Replace(plain.URL, "http:", "https:", 1), problem: "The receiver does not speak TLS there."},
		"nobody listens":    {address: closed.URL, problem: "The receiver refused the connection."},
		"an unknown name":   {address: "https://nowhere.invalid/", problem: "The name of the host was not found."},
		"another's name":    {address: "https://localhost", problem: "The receiver’s certificate is for another host."},
		"unknown authority": {address: "other", problem: "The receiver’s certificate is not signed by an authority that is known."},
	} {
		t.Run(name, func(t *testing.T) {
			receiver := newReceiver(t)
			roots := receiver.roots()
			address := c.address
			switch {
			case address == "":
				address = receiver.URL
			case name == "another's name":
				address += receiver.URL[strings.LastIndex(receiver.URL, ":"):]
			case address == "other":
				address, roots = receiver.URL, newEmptyPool()
			}
			r := newRoom(t, allowed, webhooks.WithRoots(roots), webhooks.WithResolver(nowhere(t)))
			r.worker.SetTimeout(500 * time.Millisecond)
			r.set(address)
			receiver.answers(c.answer)
			r.test()
			r.round()
			if d := r.last(); d.Problem != c.problem || d.Status != c.status {
				t.Errorf("%d %q", d.Status, d.Problem)
			}
		})
	}
	if len(elsewhere.all()) > 0 {
		t.Error("a redirect was followed")
	}
}

// No proxy of the environment sees a delivery.
func TestNoProxy(t *testing.T) {
	proxy := newReceiver(t)
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	receiver := newReceiver(t)
	r := newRoom(t, allowed, webhooks.WithRoots(receiver.roots()))
	r.set(receiver.URL)
	r.test()
	r.round()
	if len(proxy.all()) > 0 || r.last().DeliveredAt.IsZero() {
		t.Errorf("%+v", r.last())
	}
}

// One that hangs holds up nobody else, and stopping waits for nothing.
func TestWorkerRuns(t *testing.T) {
	hanging, receiver := newReceiver(t), newReceiver(t)
	release := make(chan struct{})
	hanging.answers(func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	roots := receiver.roots()
	roots.AddCert(hanging.Certificate())
	r := newRoom(t, allowed, webhooks.WithRoots(roots))
	r.set(hanging.URL)
	r.test()
	eve := r.db.Member(t, "contoso", "eve", models.RoleOwner)
	r.ana, eve = eve, r.ana
	r.set(receiver.URL)
	r.test()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.worker.Run(ctx)
	}()
	for deadline := time.Now().Add(5 * time.Second); r.last().DeliveredAt.IsZero(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not delivered")
		}
	}
	stop()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("the worker does not stop")
	}
	r.ana = eve
	if d := r.last(); d.Attempts != 1 || d.Problem != "" || d.NextAt.IsZero() {
		t.Errorf("what was broken off is not tried again: %+v", d)
	}
}
