package handlers_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey/latchkey/models"
)

// pair makes an Ed25519 key and returns both halves as PEM.
func pair(t *testing.T) (public, private string) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return publicPEM(t, pub), privatePEM(t, priv)
}

func publicPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func privatePEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// page is the page of a new application with a secret and a manual token.
func (s *site) page(t *testing.T, actor models.Actor) (app models.Application, page string) {
	t.Helper()
	app, _ = s.application(t, actor, "Bot")
	return app, apps + "/" + app.ID
}

func (s *site) keysOf(t *testing.T, app models.Application) []models.ClientKeyRow {
	t.Helper()
	detail, err := s.db.Store.Application(t.Context(), app.TeamID, app.ID)
	if err != nil {
		t.Fatal(err)
	}
	return detail.Keys
}

func TestKeysAreListed(t *testing.T) { // P1, D4
	s, b, actor := owner(t)
	app, page := s.page(t, actor)
	b.get(page).expect(t, http.StatusOK, "Public keys", "No public keys. The application proves itself by its client secret.", "Add public key")
	b.get(page+"/keys").expect(t, http.StatusOK, "Add public key", "openssl genpkey -algorithm ed25519 -out key.pem", "JWK or PEM.")
	public, _ := pair(t)
	const name = `"><svg onload=alert(1)>`
	if got := b.post(page+"/keys", "name", " "+name+" ", "key", public); got.to() != page {
		t.Fatalf("%s to %q: %s", got.Status, got.to(), got.text())
	}
	key := s.keysOf(t, app)[0]
	shown := b.get(page)
	shown.expect(t, http.StatusOK, "The public key "+name+" was added.", name, "Ed25519", key.Thumbprint, "Just now by ana Never Remove the key", "Get a token by signing", "Remove secret")
	if strings.Contains(shown.body, "<svg onload") || !strings.Contains(shown.body, `title="`+key.Thumbprint+`"`) || strings.Contains(shown.body, key.JWK) {
		t.Error("the name is markup, or the thumbprint is not whole")
	}
	event := s.db.Events(t, actor.TeamID)[0]
	if event.Action != models.AuditKeyAdded || event.Target != "Bot" || !strings.Contains(event.Detail, key.Thumbprint) || event.ActorID != actor.UserID || event.RequestID == "" {
		t.Errorf("recorded as %+v", event)
	}
	viewer := s.signedIn(t, s.member(t, "northwind", "vic", models.RoleViewer)).get(page)
	viewer.expect(t, http.StatusOK, "Public keys", key.Thumbprint)
	for _, not := range []string{"/keys", "/secret", "Remove"} {
		if strings.Contains(viewer.body, not) {
			t.Errorf("a viewer's page holds %q", not)
		}
	}
}

func TestAddKeyBadInput(t *testing.T) { // D5
	s, b, actor := owner(t)
	app, page := s.page(t, actor)
	taken, _ := pair(t)
	b.post(page+"/keys", "name", "Laptop", "key", taken).expect(t, http.StatusSeeOther)
	good, _ := pair(t)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, key, nameProblem, keyProblem string }{
		{"", "", "Enter a name.", "Paste a public key."},
		{strings.Repeat("é", 65), good, "Use at most 64 characters.", ""},
		{"a\u202eb", "hello", "Leave out control and text-direction characters.", "This is not a public key that can be read. Paste one as PEM or JWK."},
		{"A", "</textarea><script>alert(1)</script>", "", "This is not a public key that can be read. Paste one as PEM or JWK."},
		{"A", publicPEM(t, &small.PublicKey), "", "This RSA key has 1024 bits. Use one of at least 2048."},
		{"LAPTOP", good, "There is a key called Laptop already. Choose another name.", ""},
		{"A", taken, "", "The application has this key already, called Laptop."},
		{"laptop", taken, "There is a key called Laptop already. Choose another name.", "The application has this key already, called Laptop."},
		{"A", good + good, "", "Paste one key and nothing after it."},
	} {
		got := b.post(page+"/keys", "name", test.name, "key", test.key)
		got.expect(t, http.StatusUnprocessableEntity, "Add public key")
		name, problem := got.field("name")
		if name != test.name || problem != test.nameProblem {
			t.Errorf("%.20q: shown as %q with %q", test.name, name, problem)
		}
		key, problem := got.field("key")
		if key != strings.TrimSpace(test.key) || problem != test.keyProblem {
			t.Errorf("%.40q: shown as %q with %q", test.key, key, problem)
		}
		if strings.Contains(got.body, "<script>alert") {
			t.Error("what was pasted is markup") // P1
		}
	}
	if n := len(s.keysOf(t, app)); n != 1 {
		t.Errorf("%d keys, want the one", n)
	}
	b.post(page+"/keys", "name", "A", "key", strings.Repeat("x", 70_000)).expect(t, http.StatusRequestEntityTooLarge)
}

// T3: a private key that was pasted by mistake is in no answer.
func TestPrivateKeysDoNotComeBack(t *testing.T) {
	s, b, actor := owner(t)
	app, page := s.page(t, actor)
	_, private := pair(t)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const value = "MHcCAQEEIPXvalueofprivatekeyZk3Q"
	body := strings.Split(private, "\n")[1]
	for name, test := range map[string]struct{ key, mark string }{
		"PEM":          {private, body},
		"EC":           {privatePEM(t, ec), strings.Split(privatePEM(t, ec), "\n")[1]},
		"damaged PEM":  {"-----BEGIN PRIVATE KEY----\n" + body, body},
		"lower case":   {"-----begin private key-----\n" + body, body},
		"too long":     {private + strings.Repeat("x", 20_000), body},
		"PuTTY":        {"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n" + value, value},
		"JWK":          {`{"kty":"OKP","crv":"Ed25519","x":"` + value + `","d":"` + value + `"}`, value},
		"symmetric":    {`{"kty":"oct","k":"` + value + `"}`, value},
		"set":          {`{"keys":[{"kty":"EC"},{"kty":"RSA","q":"` + value + `"}]}`, value},
		"damaged JWK":  {`{"kty":"OKP","d": "` + value, value},
		"escaped name": {`{"kty":"OKP","\u0064":"` + value + `"}`, value},
		"nested":       {`{"a":{"b":{"d":"` + value + `"}}}`, value},
	} {
		got := b.post(page+"/keys", "name", "Laptop", "key", test.key)
		got.expect(t, http.StatusUnprocessableEntity)
		key, problem := got.field("key")
		if strings.Contains(got.body, test.mark) || key != "" || problem == "" {
			t.Errorf("%s: the answer holds the key, or %q with %q", name, key, problem)
		}
		if typed, _ := got.field("name"); typed != "Laptop" {
			t.Errorf("%s: the name comes back as %q", name, typed)
		}
	}
	public, _ := pair(t)
	b.post(page+"/keys", "name", "", "key", private).expect(t, http.StatusUnprocessableEntity, "Enter a name.", "This is a private key.")
	if key, _ := b.post(page+"/keys", "name", "", "key", public).field("key"); key != strings.TrimSpace(public) {
		t.Errorf("a public key comes back as %q", key)
	}
	if len(s.keysOf(t, app)) != 0 {
		t.Error("a private key was taken")
	}
}

// A JWK and PEM of the same key are the same key; a form posted twice counts once.
func TestAddKeyTwice(t *testing.T) {
	s, b, actor := owner(t)
	app, page := s.page(t, actor)
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	once, _ := b.get(page + "/keys").field("once")
	for range 2 {
		if got := b.post(page+"/keys", "name", "Laptop", "key", publicPEM(t, pub), "once", once); got.to() != page {
			t.Fatalf("%s: %s", got.Status, got.text())
		}
	}
	jwk := `{"kty":"OKP","crv":"Ed25519","use":"sig","x":"` + base64.RawURLEncoding.EncodeToString(pub) + `"}`
	b.post(page+"/keys", "name", "Again", "key", jwk).expect(t, http.StatusUnprocessableEntity, "The application has this key already, called Laptop.")
	if n := len(s.keysOf(t, app)); n != 1 {
		t.Errorf("%d keys, want 1", n)
	}
	_, other := s.page(t, s.member(t, "contoso", "eve", models.RoleOwner))
	b.post(other+"/keys", "name", "Mine", "key", jwk).expect(t, http.StatusNotFound) // D3
}

// D8: of 50 at once, five get in.
func TestFiveKeys(t *testing.T) {
	s, b, actor := owner(t)
	app, page := s.page(t, actor)
	var all sync.WaitGroup
	added := make(chan int, 50)
	for i := range 50 {
		public, _ := pair(t)
		all.Go(func() {
			got := b.post(page+"/keys", "name", fmt.Sprintf("Key %d", i), "key", public)
			if got.StatusCode != http.StatusSeeOther && got.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%s: %s", got.Status, got.text())
			}
			added <- got.StatusCode
		})
	}
	all.Wait()
	close(added)
	n := 0
	for status := range added {
		if status == http.StatusSeeOther {
			n++
		}
	}
	if keys := s.keysOf(t, app); n != 5 || len(keys) != 5 {
		t.Errorf("%d were told that it worked, and there are %d keys", n, len(keys))
	}
	full := b.get(page)
	full.expect(t, http.StatusOK, "An application has 5 public keys at most. Remove one to add another.")
	if strings.Contains(full.body, page+`/keys"`) {
		t.Error("a sixth key is offered")
	}
	public, _ := pair(t)
	b.post(page+"/keys", "name", "Sixth", "key", public).expect(t, http.StatusUnprocessableEntity, "An application has five public keys at most. Remove one first.")
}
