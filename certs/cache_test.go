package certs_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/latchkey/latchkey/certs"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store/storetest"
)

// node is one of several on a database.
func node(t *testing.T, db *storetest.DB, keys *secrets.Keys, log *bytes.Buffer) *certs.ACME {
	t.Helper()
	return certs.NewACME(certs.Settings{Hosts: []string{host, "api.example.com"}, Directory: "https://127.0.0.1:1/dir"}, db, keys,
		slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return db.Now().Std() })
}

func newKeys(t *testing.T) *secrets.Keys {
	t.Helper()
	keys, err := secrets.CreateKeys(filepath.Join(t.TempDir(), "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// K2: what ACME has to keep lies in the database, sealed for its place, for every node.
func TestWhatACMEKeepsIsSealed(t *testing.T) {
	db, keys, log := storetest.New(t), newKeys(t), &bytes.Buffer{}
	one, two := node(t, db, keys, log).Cache(), node(t, db, keys, log).Cache()
	ctx := t.Context()
	if _, err := two.Get(ctx, host); !errors.Is(err, autocert.ErrCacheMiss) {
		t.Errorf("nothing there: %v", err)
	}
	for _, name := range []string{host, host + "+token", "x+http-01"} {
		if err := one.Put(ctx, name, []byte("BEGIN PRIVATE KEY "+name)); err != nil {
			t.Fatal(err)
		}
		if got, err := two.Get(ctx, name); err != nil || string(got) != "BEGIN PRIVATE KEY "+name {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM acme_state WHERE instr(sealed, CAST('PRIVATE' AS BLOB)) > 0"); n != 0 {
		t.Error("the database holds a key in clear")
	}
	if _, err := db.Raw(t).ExecContext(ctx, "UPDATE acme_state SET sealed = (SELECT sealed FROM acme_state WHERE name = 'x+http-01') WHERE name = ?", host); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Get(ctx, host); !errors.Is(err, autocert.ErrCacheMiss) || !bytes.Contains(log.Bytes(), []byte("cannot be opened")) {
		t.Errorf("a value of another place: %v", err)
	}
	if err := one.Delete(ctx, host); err != nil {
		t.Fatal(err)
	}
	db.Wait(25 * time.Hour)
	if err := db.Sweep(ctx, time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM acme_state"); n != 0 {
		t.Errorf("%d challenges are left", n)
	}
}

// Of many nodes one orders, until it is done or has crashed.
func TestOneNodeOrders(t *testing.T) {
	db, ctx := storetest.New(t), t.Context()
	claim := func(want bool) {
		t.Helper()
		if got, err := db.ClaimACMEState(ctx, "order", db.Now().Add(time.Minute)); got != want || err != nil {
			t.Errorf("claimed %t, %v", got, err)
		}
	}
	claim(true)
	claim(false)
	db.Wait(time.Minute)
	claim(true)
	if err := db.DeleteACMEState(ctx, "order"); err != nil {
		t.Fatal(err)
	}
	claim(true)
	if _, err := db.ACMEState(ctx, "other"); !errors.Is(err, models.ErrNotFound) {
		t.Error(err)
	}
}

// Whoever connects cannot make the server order anything.
func TestHandshakesOrderNothing(t *testing.T) {
	db := storetest.New(t)
	acmeNode := node(t, db, newKeys(t), &bytes.Buffer{})
	for _, hello := range []*tls.ClientHelloInfo{
		{ServerName: host}, {ServerName: ""}, {ServerName: "ACCOUNT.example.com."}, {ServerName: "other.example.com"}, {ServerName: "\x00"},
		{ServerName: host, SupportedProtos: []string{acme.ALPNProto}}, {ServerName: "other.example.com", SupportedProtos: []string{acme.ALPNProto}},
	} {
		hello.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		began := time.Now()
		if cert, err := acmeNode.TLSConfig().GetCertificate(hello); err == nil || cert != nil || time.Since(began) > 5*time.Second {
			t.Errorf("%+v: %v, %v", hello, cert, err)
		}
	}
	if n := db.Number(t, "SELECT COUNT(*) FROM acme_state"); n != 0 {
		t.Errorf("%d rows: something was begun", n)
	}
}

// What the authority asks for is answered to anybody, and tells nobody about the database.
func TestChallengesTellNothingOfTheDatabase(t *testing.T) {
	db, log := storetest.New(t), &bytes.Buffer{}
	handler := node(t, db, newKeys(t), log).Challenges(http.NotFoundHandler())
	ask := func() (int, string) {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://"+host+"/.well-known/acme-challenge/abc", nil)) //nolint:noctx // it goes nowhere
		return answer.Code, answer.Body.String()
	}
	status, text := ask()
	if status != http.StatusNotFound {
		t.Errorf("%d %q", status, text)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if nowStatus, nowText := ask(); nowStatus != status || nowText != text {
		t.Errorf("without the database: %d %q", nowStatus, nowText)
	}
	if !strings.Contains(log.String(), "database") {
		t.Errorf("nobody is told: %s", log)
	}
}
