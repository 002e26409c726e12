package e2e

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const installClients = "run scripts/install-client-libs.sh, which installs them or says how"

// realClient is a program in clients around a client as it comes.
type realClient struct {
	name    string
	file    string
	methods []string
	// refused and scopeRefused are its own errors for invalid_client and invalid_scope.
	refused, scopeRefused string
	// What it can do besides getting and revoking tokens.
	discovers, introspects bool
}

var realClients = []realClient{
	{
		name: "oauth4webapi", file: "oauth4webapi.mjs", methods: []string{"client_secret_basic", "client_secret_post", "ES256", "RS256", "PS256", "EdDSA", "Ed25519"},
		refused: "WWWAuthenticateChallengeError", scopeRefused: "ResponseBodyError", discovers: true, introspects: true,
	},
	{
		name: "openid-client", file: "openid-client.mjs", methods: []string{"client_secret_basic", "client_secret_post", "ES256"},
		refused: "WWWAuthenticateChallengeError", scopeRefused: "ResponseBodyError", discovers: true, introspects: true,
	},
	{
		name: "simple-oauth2", file: "simple-oauth2.cjs", methods: []string{"client_secret_basic", "client_secret_post"},
		refused: "Boom", scopeRefused: "Boom",
	},
	{
		name: "Authlib", file: "authlib_client.py", methods: []string{"client_secret_basic", "client_secret_post", "RS256"},
		refused: "OAuthError", scopeRefused: "OAuthError", discovers: true, introspects: true,
	},
	{
		name: "Requests-OAuthlib", file: "requests_oauthlib_client.py", methods: []string{"client_secret_basic", "client_secret_post"},
		refused: "InvalidClientError", scopeRefused: "InvalidScopeError",
	},
}

// TestRealClients runs what people have: each client, by each method it knows.
func TestRealClients(t *testing.T) {
	t.Parallel()
	s, ana := owner(t, "--scopes", "api,reports")
	api := addResourceServer(t, s)
	for _, c := range realClients {
		t.Run(c.name, func(t *testing.T) {
			ana := ana.within(t)
			app := ana.create(c.name)
			account := clientInput{
				Base: s.base, ClientID: ana.clientIDOf(app), Secret: ana.reveal(app + "/secret"),
				Scope: "api", RefusedScope: "reports", ResourceServer: api,
			}
			for _, method := range c.methods {
				t.Run(method, func(t *testing.T) {
					ana := ana.within(t)
					in := account
					in.Auth = method
					if !strings.HasPrefix(method, "client_secret_") {
						ana.useKey(app, method, &in)
					}
					run := c.run(t, in)
					run.wantTokens(in)
					run.wantRefusals(in)
					run.wantRevoked(ana)
					run.wantIntrospected(in)
					run.wantDiscovered(s.base)
				})
			}
		})
	}
}

// within is the same person in a subtest.
func (c *client) within(t testing.TB) *client {
	same := *c
	same.t = t
	return &same
}

// clientInput is what a program reads.
type clientInput struct {
	Base           string         `json:"base"`
	ClientID       string         `json:"client_id"`
	Secret         string         `json:"client_secret"`
	Auth           string         `json:"auth"`
	Scope          string         `json:"scope"`
	RefusedScope   string         `json:"refused_scope"`
	ResourceServer resourceServer `json:"resource_server"`
	// With private_key_jwt: PKCS #8 in base64 and as PEM, and what signs.
	Key    string `json:"key"`
	KeyPEM string `json:"key_pem"`
	KeyID  string `json:"kid,omitempty"`
	Alg    string `json:"alg"`
}

type resourceServer struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

func addResourceServer(t *testing.T, s *server) resourceServer {
	t.Helper()
	r := command(t, "", append(places(s.dir), "resource-server", "add", "--name", "Orders API")...)
	var made resourceServer
	for line := range strings.Lines(r.stdout) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "client_id":
			made.ID = value
		case "client_secret":
			made.Secret = value
		}
	}
	if r.code != 0 || made.ID == "" || made.Secret == "" {
		t.Fatalf("resource-server add: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	return made
}

// useKey makes a key pair and registers the public one.
func (c *client) useKey(app, alg string, in *clientInput) {
	c.t.Helper()
	key := newKey(c.t, alg)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(c.t, err)
	in.Auth, in.Alg, in.KeyID, in.Key = "private_key_jwt", alg, "key of "+alg, base64.StdEncoding.EncodeToString(der)
	in.KeyPEM = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	c.deed(app+"/keys", url.Values{"name": {alg}, "key": {publicText(c.t, key, in.KeyID)}})
}

func newKey(t testing.TB, alg string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA", "Ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	must(t, err)
	return key
}

// publicText is what one pastes on the page: a JWK, or PEM where it is RSA.
func publicText(t testing.TB, key crypto.Signer, kid string) string {
	t.Helper()
	var jwk map[string]string
	switch public := key.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		must(t, err)
		jwk = map[string]string{"kid": kid, "kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
	case ed25519.PublicKey:
		jwk = map[string]string{"kid": kid, "kty": "OKP", "crv": "Ed25519", "x": b64(public)}
	default:
		der, err := x509.MarshalPKIXPublicKey(public)
		must(t, err)
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	text, err := json.Marshal(jwk)
	must(t, err)
	return string(text)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// clientStep is a line that a program prints.
type clientStep struct {
	Name  string `json:"step"`
	Token *struct {
		Value   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
		Scope   any    `json:"scope"` // a list with Requests-OAuthlib
		Type    string `json:"token_type"`
	} `json:"token"`
	Status   int             `json:"status"`
	Scope    string          `json:"scope"`
	Answer   json.RawMessage `json:"answer"`
	Metadata json.RawMessage `json:"metadata"`
	Error    *clientError    `json:"error"`
}

// clientError is what a client throws.
type clientError struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme"` // of the challenge
	Code        string `json:"code"`
	Status      int    `json:"status"`
	Description string `json:"description"`
}

// clientRun is what a program did.
type clientRun struct {
	t      *testing.T
	client realClient
	steps  map[string]clientStep
}

func (c realClient) run(t *testing.T, in clientInput) clientRun {
	t.Helper()
	stdin, err := json.Marshal(in)
	must(t, err)
	interpreter := node(t)
	if strings.HasSuffix(c.file, ".py") {
		interpreter = python(t)
	}
	cmd := exec.CommandContext(t.Context(), interpreter[0], append(slices.Clone(interpreter[1:]), filepath.Join("clients", c.file))...)
	// Loopback without TLS, by the options that the two are documented to have.
	cmd.Env = []string{"OAUTHLIB_INSECURE_TRANSPORT=1", "AUTHLIB_INSECURE_TRANSPORT=1"}
	r := finish(t, cmd, string(stdin))
	if r.code != 0 {
		t.Fatalf("%s: exit code %d\n%s%s", c.file, r.code, r.stdout, r.stderr)
	}
	run := clientRun{t, c, map[string]clientStep{}}
	lines := bufio.NewScanner(strings.NewReader(r.stdout))
	for lines.Scan() {
		var step clientStep
		if err := json.Unmarshal(lines.Bytes(), &step); err != nil {
			t.Fatalf("%s: %v\n%s", c.file, err, lines.Text())
		}
		run.steps[step.Name] = step
	}
	must(t, lines.Err())
	return run
}

// node is the command that runs a program for Node.
var node = interpreter(func() []string {
	version, err := exec.Command("node", "--version").Output()
	if err != nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join("clients", "node_modules", ".package-lock.json")); err != nil {
		return nil
	}
	if strings.HasPrefix(string(version), "v18.") {
		return []string{"node", "--experimental-global-webcrypto"}
	}
	return []string{"node"}
}, "Node is not in PATH or has no e2e/clients/node_modules")

// python is Debian's where there is one: another one in PATH does not see its packages.
var python = interpreter(func() []string {
	for _, path := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(path, "-c", "import authlib, cryptography, requests_oauthlib").Run() == nil {
			return []string{path, "-B"}
		}
	}
	return nil
}, "no python3 has Authlib, Cryptography and Requests-OAuthlib")

func interpreter(find func() []string, missing string) func(t testing.TB) []string {
	found := sync.OnceValue(find)
	return func(t testing.TB) []string {
		t.Helper()
		if found() == nil {
			t.Fatal(missing + ": " + installClients)
		}
		return found()
	}
}

// done wants a step that went well.
func (r clientRun) done(name string) clientStep {
	r.t.Helper()
	step, ok := r.steps[name]
	if !ok || step.Error != nil {
		r.t.Errorf("%s: %+v, want it done", name, step.Error)
	}
	return step
}

// refused wants a step that the client reports as an error of its own.
func (r clientRun) refused(name, kind, code string, status int) {
	r.t.Helper()
	got := r.steps[name].Error
	if got == nil {
		r.t.Errorf("%s: not refused", name)
		return
	}
	said := got.Description != "" || code == "invalid_token"
	if got.Type != kind || got.Code != code || !said || got.Status != 0 && got.Status != status {
		r.t.Errorf("%s: %+v, want %s %d as %s", name, *got, code, status, kind)
	}
}

func (r clientRun) wantTokens(in clientInput) {
	r.t.Helper()
	names := []string{"token", "token without scope"}
	if r.client.name == "Requests-OAuthlib" && in.Auth == "client_secret_basic" {
		names = append(names, "client ID beside Basic")
	}
	for _, name := range names {
		token := r.done(name).Token
		if token == nil {
			r.t.Fatalf("%s: no token", name)
		}
		if list, ok := token.Scope.([]any); ok && len(list) == 1 {
			token.Scope = list[0]
		}
		if !strings.HasPrefix(token.Value, "lk_at_") || token.Seconds != 18000 || token.Scope != "api" || token.Type != "bearer" {
			r.t.Errorf("%s: %+v", name, *token)
		}
	}
	if got := r.done("verify"); got.Status != http.StatusOK || got.Scope != "api" {
		r.t.Errorf("verify: %+v", got)
	}
}

func (r clientRun) wantRefusals(in clientInput) {
	r.t.Helper()
	kind := r.client.refused
	r.refused("wrong secret", kind, "invalid_client", http.StatusUnauthorized)
	r.refused("refused scope", r.client.scopeRefused, "invalid_scope", http.StatusBadRequest)
	if r.client.name == "openid-client" { // O2
		r.refused("token as resource server", r.client.scopeRefused, "unauthorized_client", http.StatusBadRequest)
	}
	for _, name := range r.client.refusedToo(in) {
		r.refused(name, kind, "invalid_client", http.StatusUnauthorized)
	}
}

// refusedToo are more steps that end in invalid_client.
func (c realClient) refusedToo(in clientInput) []string {
	switch {
	case c.name == "oauth4webapi", c.name == "openid-client":
		return []string{"introspect with wrong secret", "revoke with wrong secret"}
	case c.name == "simple-oauth2":
		return []string{"revoke with wrong secret"}
	case c.name == "Authlib" && in.Alg != "":
		return []string{"jti used before", "assertion for an hour"}
	}
	return nil
}

func (r clientRun) wantRevoked(ana *client) {
	r.t.Helper()
	if got := r.done("revoke"); got.Status != 0 && got.Status != http.StatusOK {
		r.t.Errorf("revoke: %d, want 200", got.Status)
	}
	after := r.steps["verify after revoke"]
	if after.Error != nil {
		r.refused("verify after revoke", r.client.refused, "invalid_token", http.StatusUnauthorized)
	} else if after.Status != http.StatusUnauthorized {
		r.t.Errorf("verify after revoke: %d, want 401", after.Status)
	}
	ana.wantRefused(r.steps["token"].Token.Value)
	ana.wantGood(r.steps["token without scope"].Token.Value)
}

// O3: of a token that is not good, nothing is said.
func (r clientRun) wantIntrospected(in clientInput) {
	r.t.Helper()
	if !r.client.introspects {
		return
	}
	for _, name := range []string{"introspect", "introspect as resource server"} {
		var got struct {
			Active            bool
			Scope, Sub        string
			ClientID          string `json:"client_id"`
			Type              string `json:"token_type"`
			Exp, Iat, Nbf     int64
			Iss, Jti          string
			Team, Application string
		}
		if err := json.Unmarshal(r.done(name).Answer, &got); err != nil {
			r.t.Fatalf("%s: %v", name, err)
		}
		if !got.Active || got.Scope != in.Scope || got.ClientID != in.ClientID || got.Type != "bearer" || got.Sub == "" ||
			got.Iss != in.Base || got.Jti == "" || got.Team == "" || got.Application == "" {
			r.t.Errorf("%s: %+v", name, got)
		}
		if age := time.Now().Unix() - got.Iat; got.Exp-got.Iat != 18000 || got.Nbf != got.Iat || age < 0 || age > 60 {
			r.t.Errorf("%s: issued %d, not before %d, expires %d", name, got.Iat, got.Nbf, got.Exp)
		}
	}
	for _, name := range []string{"introspect after revoke", "introspect after revoke as resource server"} {
		if got := string(r.done(name).Answer); got != `{"active":false}` {
			r.t.Errorf("%s: %s", name, got)
		}
	}
}

// O1: the metadata says what is served and nothing else.
func (r clientRun) wantDiscovered(base string) {
	r.t.Helper()
	if !r.client.discovers {
		return
	}
	want := map[string]string{
		"issuer": strconv.Quote(base), "grant_types_supported": `["client_credentials"]`, "response_types_supported": `[]`,
	}
	for name, path := range map[string]string{"token_endpoint": "/oauth2/token", "introspection_endpoint": "/oauth2/introspect", "revocation_endpoint": "/oauth2/revoke"} {
		want[name] = strconv.Quote(base + path)
		want[name+"_auth_methods_supported"] = `["client_secret_basic","client_secret_post","private_key_jwt"]`
		want[name+"_auth_signing_alg_values_supported"] = `["ES256","RS256","PS256","EdDSA","Ed25519"]`
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(r.done("discovery").Metadata, &got); err != nil {
		r.t.Fatalf("discovery: %v", err)
	}
	for name, value := range want {
		if string(got[name]) != value {
			r.t.Errorf("discovery: %s is %s, want %s", name, got[name], value)
		}
	}
}
