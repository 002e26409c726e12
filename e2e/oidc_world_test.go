package e2e

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// idp is a real OpenID provider with a sign-in page of its own.
type idp struct {
	*httptest.Server
	clients clientStore
}

const (
	idpClient = "latchkey"
	idpSecret = "made by the provider"
)

// Who has an account there, all with the same password.
var idpPeople = map[string]storage.User{
	"id1": {ID: "id1", Username: "ana", Password: password, FirstName: "Ana", LastName: "Ruiz", Email: ownerEmail, EmailVerified: true},
	"id2": {ID: "id2", Username: "nia", Password: password, FirstName: "Nia", LastName: "Holm", Email: "nia@joiner.example", EmailVerified: true},
	"id3": {ID: "id3", Username: "mal", Password: password, FirstName: "Mal", LastName: "Ory", Email: ownerEmail, EmailVerified: false},
}

func newIDP(t testing.TB) *idp {
	t.Helper()
	text, err := json.Marshal(idpPeople)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "people.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	people, err := storage.StoreFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{clients: clientStore{storage.NewStorage(people), &atomic.Pointer[storage.Client]{}}}
	router := exampleop.SetupServer("http://"+listener.Addr().String(), p.clients, slog.New(slog.DiscardHandler), false)
	p.Server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: router}}
	p.Start()
	t.Cleanup(p.Close)
	return p
}

// clientStore knows Latchkey, and puts what the scopes ask for into the ID token.
type clientStore struct {
	*storage.Storage
	latchkey *atomic.Pointer[storage.Client]
}

type clientWithClaims struct{ *storage.Client }

func (clientWithClaims) IDTokenUserinfoClaimsAssertion() bool { return true }

func (s clientStore) GetClientByClientID(context.Context, string) (op.Client, error) {
	return clientWithClaims{s.latchkey.Load()}, nil
}

func (s clientStore) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != idpClient || secret != idpSecret {
		return os.ErrPermission
	}
	return nil
}

// flags are the settings of a program at this provider.
func (p *idp) flags() []string {
	return []string{
		"--oidc-issuer", p.URL, "--oidc-client-id", idpClient, "--oidc-client-secret", idpSecret, "--oidc-name", "Example ID",
		"--oidc-domains", "joiner.example", "--oidc-team", "Northwind",
	}
}

// expects tells the provider where the program's browsers come back to.
func (p *idp) expects(s *server) {
	p.clients.latchkey.Store(storage.WebClient(idpClient, idpSecret, s.base+"/login/provider/callback"))
}

// at signs in on the provider's own page.
func (p *idp) at(page *tab, name string) {
	page.t.Helper()
	page.whole().fill("Username:", name)
	page.whole().fill("Password:", password)
	page.whole().follow("button", "Login")
}
