package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/hotp"
	"golang.org/x/net/html"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
)

const factorPage = "/user/profile/second-factor"

// app is an authenticator app.
type app struct {
	site *site
	seed string
}

// code is what the app shows, drift steps from now.
func (a app) code(t testing.TB, drift int64) string {
	t.Helper()
	code, err := hotp.GenerateCode(a.seed, uint64(int64(a.site.db.Now())/30_000+drift))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// seedOn reads the key that a page shows.
func seedOn(t testing.TB, page answer) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		for _, a := range node.Attr {
			if a.Key == "data-revealed" && node.Data == "code" {
				return strings.ReplaceAll(textOf(node), " ", "")
			}
		}
	}
	t.Fatalf("no key on the page:\n%s", page.text())
	return ""
}

// codesOn reads the recovery codes that a page shows.
func codesOn(t testing.TB, page answer) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	codes := strings.Fields(textOf(byID(root, "recovery-codes")))
	if page.StatusCode != http.StatusOK || len(codes) != 10 {
		t.Fatalf("%s, %d codes:\n%s", page.Status, len(codes), page.text())
	}
	return codes
}

// enrolApp sets up an authenticator app and waits until its first code is past.
func (b *browser) enrolApp() (app, answer) {
	b.t.Helper()
	a := app{b.site, seedOn(b.t, b.post(factorPage+"/app"))}
	done := b.post(factorPage+"/app/confirm", "code", a.code(b.t, 0))
	b.site.db.Wait(time.Minute)
	return a, done
}

// withApp is a person who has an authenticator app, signed out, with their recovery codes.
func (s *site) withApp(t testing.TB, name string) (models.Actor, app, []string) {
	t.Helper()
	actor := s.member(t, "northwind", name, models.RoleOwner)
	a, done := s.signedIn(t, actor).enrolApp()
	return actor, a, codesOn(t, done)
}

// atSecondStep is a new browser that has given the password.
func (s *site) atSecondStep(t testing.TB, actor models.Actor) *browser {
	t.Helper()
	b := s.browser(t)
	if got := b.signIn(actor.Email, password); got.to() != "/login/second-factor" {
		t.Fatalf("after the password: %s to %q", got.Status, got.to())
	}
	return b
}

func (b *browser) signedInNow() bool {
	b.t.Helper()
	return b.get("/user/profile/second-factor").StatusCode == http.StatusOK
}

// localhost gives a site the name that passkeys need.
func localhost(deps *handlers.Deps) { deps.BaseURL = "http://localhost:8080" }

// device makes and uses passkeys as a browser does.
type device struct {
	site virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

func newDevice() *device {
	return &device{
		site: virtualwebauthn.RelyingParty{ID: "localhost", Name: "Latchkey", Origin: "http://localhost:8080"},
		auth: virtualwebauthn.NewAuthenticator(), key: newCredential(),
	}
}

// newCredential is one whose public key is as long as RFC 9053 section 7.1.1 wants:
// virtualwebauthn leaves leading zeros of coordinates out, which no authenticator does.
func newCredential() virtualwebauthn.Credential {
	const whole = 77
	for {
		if credential := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(credential.Key.AttestationData()) == whole {
			return credential
		}
	}
}

func (b *browser) options(path string, fields url.Values) answer {
	b.t.Helper()
	if fields == nil {
		fields = url.Values{}
	}
	return b.do(http.MethodPost, path+"/options", fields, http.Header{"Accept": {"application/json"}})
}

// makes answers to the options for a new passkey.
func (d *device) makes(t testing.TB, options answer) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(options.body)
	if err != nil || options.StatusCode != http.StatusOK {
		t.Fatalf("options: %s %v %s", options.Status, err, options.body)
	}
	d.auth.Options.UserHandle = []byte(asked.UserID)
	return virtualwebauthn.CreateAttestationResponse(d.site, d.auth, d.key, *asked)
}

// proves answers to the options for a passkey that exists.
func (d *device) proves(t testing.TB, options answer) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(options.body)
	if err != nil || options.StatusCode != http.StatusOK {
		t.Fatalf("options: %s %v %s", options.Status, err, options.body)
	}
	d.key.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.site, d.auth, d.key, *asked)
}

func (b *browser) addPasskey(d *device, name string) answer {
	b.t.Helper()
	options := b.options(factorPage+"/passkeys", values("name", name))
	return b.post(factorPage+"/passkeys", "name", name, "credential", d.makes(b.t, options))
}

func (b *browser) passkeySignIn(d *device, pairs ...string) answer {
	b.t.Helper()
	options := b.options("/login/passkey", nil)
	return b.post("/login/passkey", append(pairs, "credential", d.proves(b.t, options))...)
}

// withPasskey is a person who has a passkey, signed out.
func (s *site) withPasskey(t testing.TB, name string) (models.Actor, *device, []string) {
	t.Helper()
	actor, d := s.member(t, "northwind", name, models.RoleOwner), newDevice()
	return actor, d, codesOn(t, s.signedIn(t, actor).addPasskey(d, "Laptop"))
}
