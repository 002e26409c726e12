package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestPublicKeys goes the way from a client secret to keys and back, in a browser
// and beside a program that signs.
func TestPublicKeys(t *testing.T) {
	t.Parallel()
	s, ana := owner(t)
	for _, theme := range themes {
		t.Run(theme, func(t *testing.T) {
			p := openTab(t, s.base)
			p.become(ana)
			p.scheme(theme)
			name := "Bot " + theme
			app := ana.create(name)
			laptop, server := newSigner(t), newSigner(t)
			p.addPublicKey(app, name, "Laptop", laptop)
			p.refusesKeys(app, laptop)
			p.addPublicKey(app, name, "Build server", server)
			p.look("keys", "")
			if got := p.whole().copied("Copy thumbprint of Laptop", "Thumbprint copied"); got != laptop.thumbprint() {
				t.Errorf("Copy copied %q, want the whole thumbprint %q", got, laptop.thumbprint())
			}
			p.removesSecret(ana, app, laptop)

			t.Log("one key goes, the other goes on")
			d := p.whole().dialog("link", "Remove the key Laptop", "Remove the key Laptop?")
			p.wantFocus("link", "Cancel")
			d.follow("button", "Remove key")
			p.announces("The public key Laptop was removed.")
			p.whole().lacks("link", "Remove the key Laptop")
			ana.wantSigned(app, laptop, "invalid_client")
			ana.wantSigned(app, server, "")
			p.open(app)
			p.open(eval[string](p, `document.querySelector("a[href*='/keys/'][href$='/remove']").href`))
			p.sees("no program will be able to get a token then")
			p.look("key remove last", "")
			p.createsSecret(ana, app)
		})
	}
}

func (p *tab) addPublicKey(app, appName, name string, key signer) {
	p.t.Helper()
	p.open(app)
	d := p.whole().dialog("link", "Add public key", "Add public key")
	p.wantFocus("textbox", "Name")
	d.fill("Name", name)
	d.fill("Public key", key.public(p.t))
	d.follow("button", "Add public key")
	p.at(app, appName)
	p.announces("The public key " + name + " was added.")
	p.whole().find("rowheader", name)
	p.whole().find("link", "Remove the key "+name)
}

// refusesKeys pastes what is no good: a key known already, and a private one.
func (p *tab) refusesKeys(app string, known signer) {
	p.t.Helper()
	p.open(app + "/keys")
	p.look("key add", "")
	p.expect(http.StatusUnprocessableEntity)
	p.whole().fill("Name", "laptop")
	p.whole().fill("Public key", known.public(p.t))
	p.whole().follow("button", "Add public key")
	p.sees("There is a key called Laptop already.")
	p.sees("The application has this key already, called Laptop.")
	if got := p.whole().find("textbox", "Public key").value(); strings.TrimSpace(got) != known.public(p.t) {
		p.t.Errorf("the key comes back as %q", got)
	}
	p.look("key add errors", "")
	p.whole().fill("Public key", known.private(p.t))
	p.whole().follow("button", "Add public key")
	p.sees("This is a private key.")
	p.hides(strings.Split(known.private(p.t), "\n")[1])
	if got := p.whole().find("textbox", "Name").value(); got != "laptop" {
		p.t.Errorf("the name comes back as %q", got)
	}
}

// removesSecret leaves the application with its keys.
func (p *tab) removesSecret(program *client, app string, key signer) {
	p.t.Helper()
	clientID, secret := program.clientIDOf(app), program.reveal(app+"/secret")
	program.wantSigned(app, key, "")
	p.open(app + "/secret/remove")
	p.look("secret remove", "")
	p.open(app)
	d := p.whole().dialog("link", "Remove secret", "Remove the client secret?")
	d.follow("button", "Remove secret")
	p.announces("The client secret was removed.")
	p.sees("This application has no client secret. It proves itself by its public keys.")
	p.look("secret none", "")
	code := p.whole().copied("Copy code", "Code copied")
	if !strings.Contains(code, clientID) || !strings.Contains(code, "client_assertion") || strings.Contains(code, "client_secret") {
		p.t.Errorf("Copy code copied\n%s", code)
	}
	if _, problem := program.newToken(clientID, secret); problem != "invalid_client" {
		p.t.Errorf("the removed secret is answered %q", problem)
	}
	program.wantSigned(app, key, "")
}

func (p *tab) createsSecret(program *client, app string) {
	p.t.Helper()
	p.open(app + "/secret")
	p.look("secret create", "")
	p.open(app)
	d := p.whole().dialog("link", "Create client secret", "Create client secret")
	d.follow("button", "Create client secret")
	p.announces("The client secret was created.")
	if _, problem := program.newToken(program.clientIDOf(app), program.reveal(app+"/secret")); problem != "" {
		p.t.Errorf("the new secret is answered %q", problem)
	}
}

// TestPublicKeysWithoutScript sends what the plain forms send.
func TestPublicKeysWithoutScript(t *testing.T) {
	t.Parallel()
	_, ana := owner(t)
	app, key := ana.create("Bot"), newSigner(t)
	got := ana.deed(app+"/keys", url.Values{"name": {"Laptop"}, "key": {key.public(t)}})
	if got.path != app || !strings.Contains(got.body, key.thumbprint()) {
		t.Fatalf("on %s, without the thumbprint", got.path)
	}
	ana.wantSigned(app, key, "")
	again := ana.post(app+"/keys", url.Values{"name": {"Again"}, "key": {key.private(t)}})
	if again.status != http.StatusUnprocessableEntity || strings.Contains(again.body, strings.Split(key.private(t), "\n")[1]) {
		t.Errorf("a private key is answered %d, or comes back", again.status)
	}
	_, after, _ := strings.Cut(got.body, app+"/keys/")
	id, _, _ := strings.Cut(after, "/")
	ana.deed(app+"/secret/remove", nil)
	if page := ana.get(app + "/keys/" + id + "/remove"); page.status != http.StatusOK || !strings.Contains(page.body, `method="post" action="`+app+"/keys/"+id+`/remove"`) {
		t.Errorf("the page that asks: %d", page.status)
	}
	ana.deed(app+"/keys/"+id+"/remove", nil)
	ana.wantSigned(app, key, "invalid_client")
	ana.deed(app+"/secret", nil)
	ana.reveal(app + "/secret")
}

// signer is a program with a key of its own.
type signer struct{ key ed25519.PrivateKey }

func newSigner(t testing.TB) signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	return signer{key}
}

func (s signer) public(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	must(t, err)
	return strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
}

func (s signer) private(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// thumbprint is that of RFC 7638, made independently of the program.
func (s signer) thumbprint() string {
	x := base64.RawURLEncoding.EncodeToString(s.key[ed25519.SeedSize:])
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// assertion is a JWT as the page describes it.
func (s signer) assertion(t testing.TB, clientID, audience string) string {
	t.Helper()
	part := func(value map[string]any) string {
		text, err := json.Marshal(value)
		must(t, err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(map[string]any{"alg": "EdDSA"}) + "." + part(map[string]any{
		"iss": clientID, "sub": clientID, "aud": audience, "exp": time.Now().Add(time.Minute).Unix(), "jti": rand.Text(),
	})
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(s.key, []byte(signed)))
}

// wantSigned asks for a token by a signature; problem is the error wanted, empty
// for a good token.
func (c *client) wantSigned(app string, key signer, problem string) {
	c.t.Helper()
	got := c.post("/oauth2/token", url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {key.assertion(c.t, c.clientIDOf(app), c.base)},
	})
	var answer struct {
		Token string `json:"access_token"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || answer.Error != problem {
		c.t.Fatalf("a signed request is answered %d %s", got.status, got.body)
	}
	if problem == "" {
		c.wantGood(answer.Token)
	}
}
