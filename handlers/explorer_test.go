package handlers_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
)

const (
	explorerPage = "/user/explorer"
	graphQLPage  = explorerPage + "/graphql"
)

// behind is an API behind the gateway that notes what arrives.
type behind struct {
	*httptest.Server
	mu  sync.Mutex
	got []arrived
}

type arrived struct {
	method, target, body string
	header               http.Header
}

func newBehind(t *testing.T, answer http.HandlerFunc) *behind {
	t.Helper()
	b := &behind{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		b.got = append(b.got, arrived{r.Method, r.RequestURI, string(body), r.Header.Clone()})
		b.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *behind) last(t *testing.T) arrived {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.got) == 0 {
		t.Fatal("nothing has arrived at the API")
	}
	return b.got[len(b.got)-1]
}

func (b *behind) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.got)
}

// explorerSite has an API at /v1, that costs 3 points, and at /graphql.
func explorerSite(t *testing.T, answer http.HandlerFunc) (*site, *behind) {
	t.Helper()
	api := newBehind(t, answer)
	at, _ := url.Parse(api.URL)
	routes := []models.Upstream{{Path: "/v1", Target: at, API: "v1", Cost: 3}, {Path: "/graphql", Target: at, API: "v2", Cost: 5, GraphQL: true}}
	return newSite(t, withRoutes(t, routes...)), api
}

func withRoutes(t *testing.T, routes ...models.Upstream) func(*handlers.Deps) {
	return func(d *handlers.Deps) {
		now := func() models.Time { return models.At(d.Now()) }
		lastUsed := tokens.NewLastUsed(t.Context(), d.Store, d.Log, time.Hour)
		verifier := tokens.NewVerifier(d.Store, tokens.NewCache(), lastUsed, now)
		d.Gateway = gateway.New(gateway.Deps{
			Routes: routes, Verifier: verifier, Meter: d.Meter, Tickets: tokens.NewTickets(d.Store, verifier, now),
			Streams: gateway.NewStreams(t.Context(), verifier, d.Meter), Refusals: gateway.NewRefusals(t.Context(), d.Store, d.Log, now, time.Hour), Realm: "latchkey", Log: d.Log, Now: d.Now,
		})
	}
}

func answerJSON(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Rows", "2")
	_, _ = io.WriteString(w, `{"rows":["<b>","é"]}`)
}

func TestExplorerSendsWithATokenOfAnApplication(t *testing.T) {
	s, api := explorerSite(t, answerJSON)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	_, token := s.application(t, ana, "Bot")
	b := s.signedIn(t, ana)
	page := b.get(explorerPage + "?route=/v1&token=" + token)
	page.expect(t, http.StatusOK, "Request to /v1", "Token of Bot", "curl 'http://127.0.0.1:8080/v1'")
	got := b.post(explorerPage, "route", "/v1", "token", token, "method", "POST", "path", "/orders/a b", "query", "x=1&y=é", "headers", "X-Note: hi\r\nAccept: */*\r\n", "body", "{\"a\":\r\n1}")
	got.expect(t, http.StatusOK, "200 OK", "3", `"rows": [`, "<b>", "X-Rows", "curl -X POST 'http://127.0.0.1:8080/v1/orders/a%20b?x=1&y=%C3%A9'")
	if strings.Contains(got.body, "<b>&#34;") || strings.Contains(got.body, `"<b>"`) {
		t.Error("the answer is markup in the page")
	}
	sent := api.last(t)
	if sent.method != "POST" || !strings.HasSuffix(sent.target, "/orders/a%20b?x=1&y=%C3%A9") || sent.body != "{\"a\":\n1}" {
		t.Errorf("arrived: %+v", sent)
	}
	if sent.header.Get("X-Note") != "hi" || sent.header.Get("Content-Type") != "application/json" || sent.header.Get("User-Agent") != "Latchkey-Explorer" {
		t.Errorf("headers: %v", sent.header)
	}
	if sent.header.Get("Cookie") != "" || sent.header.Get("Authorization") != "" { // G1, G2
		t.Errorf("the API got %v", sent.header)
	}
	for _, answer := range []answer{page, got} { // D4
		if strings.Contains(answer.body, "lk_at_") {
			t.Error("a page of the Explorer holds a token")
		}
	}
}

func TestExplorerNotesTheUseOfATokenOnceAnHour(t *testing.T) {
	s, _ := explorerSite(t, answerJSON)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	_, token := s.application(t, ana, "Bot")
	b := s.signedIn(t, ana)
	uses := func() int {
		n := 0
		for _, event := range s.db.Events(t, ana.TeamID) {
			if event.Action == models.AuditTokenUsed && event.TargetID == token && event.ActorID == ana.UserID {
				n++
			}
		}
		return n
	}
	for range 3 {
		b.post(explorerPage, "route", "/v1", "token", token, "method", "GET").expect(t, http.StatusOK, "200 OK")
	}
	if n := uses(); n != 1 {
		t.Errorf("%d events of 3 calls, want 1", n)
	}
	b.post(explorerPage+"/code", "route", "/v1", "token", token, "method", "GET").expect(t, http.StatusOK, "Code")
	s.db.Wait(61 * time.Minute)
	b.post("/confirm", "password", password, "next", explorerPage)
	b.post(explorerPage, "route", "/v1", "token", token, "method", "GET").expect(t, http.StatusOK, "200 OK")
	if n := uses(); n != 2 {
		t.Errorf("%d events after an hour, want 2", n)
	}
}

// S7: acting as an application wants a proof of identity that is under 15 minutes old, as
// seeing its token does; one's own temporary token does not.
func TestExplorerAsksForAFreshProof(t *testing.T) {
	s, api := explorerSite(t, answerJSON)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	_, token := s.application(t, ana, "Bot")
	b := s.signedIn(t, ana)
	s.db.Wait(16 * time.Minute)
	b.get(explorerPage+"?token="+token).expect(t, http.StatusOK, "Request to /v1")
	got := b.post(explorerPage, "route", "/v1", "token", token, "method", "GET")
	if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.to(), "/confirm?next=%2Fuser%2Fexplorer") {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	editor := b.get(graphQLPage + "?route=/graphql&token=" + token)
	if editor.StatusCode != http.StatusSeeOther || !strings.HasPrefix(editor.to(), "/confirm?next=%2Fuser%2Fexplorer%2Fgraphql") {
		t.Errorf("%s to %q", editor.Status, editor.to())
	}
	script := b.do(http.MethodPost, graphQLPage, values("route", "/graphql", "token", token, "query", "{a}"), http.Header{"Accept": {"application/json"}})
	script.expect(t, http.StatusForbidden, `"confirm":"/confirm?next=`)
	if api.count() != 0 {
		t.Fatalf("%d calls were made", api.count())
	}
	b.post(explorerPage, "route", "/v1", "token", "temporary", "method", "GET").expect(t, http.StatusOK, "200 OK")
	deed, _ := url.Parse(got.to())
	b.post("/confirm", "password", password, "next", explorerPage, "deed", deed.Query().Get("deed")).expect(t, http.StatusOK, "200 OK")
	if api.count() != 2 {
		t.Errorf("%d calls were made, want the temporary token's and the one that waited", api.count())
	}
}

// D3: another team's token, an ended one and none at all get the same answer.
func TestExplorerUsesOwnGoodTokensAlone(t *testing.T) {
	s, api := explorerSite(t, answerJSON)
	ana, eve := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "contoso", "eve", models.RoleOwner)
	_, foreign := s.application(t, ana, "Bot")
	app, revoked := s.application(t, eve, "Own")
	if _, _, err := s.db.RevokeToken(t.Context(), eve, app.ID, revoked); err != nil {
		t.Fatal(err)
	}
	off, ofOff := s.application(t, eve, "Off")
	if err := s.db.SwitchApplication(t.Context(), eve, off.ID, false); err != nil {
		t.Fatal(err)
	}
	b := s.signedIn(t, eve)
	for _, token := range []string{foreign, revoked, ofOff, store.NewID(), "' OR 1=1 --"} {
		b.get(explorerPage+"?route=/v1&token="+url.QueryEscape(token)).expect(t, http.StatusNotFound)
		for _, path := range []string{explorerPage, explorerPage + "/code", graphQLPage, graphQLPage + "/code"} {
			b.post(path, "route", "/graphql", "token", token, "method", "GET", "query", "{a}").expect(t, http.StatusNotFound)
		}
	}
	b.get(explorerPage+"?route=/v2").expect(t, http.StatusNotFound)
	if page := b.get(explorerPage); strings.Contains(page.body, foreign) || strings.Contains(page.body, "Bot") {
		t.Error("the page lists another team's token")
	}
	if api.count() != 0 {
		t.Errorf("%d calls were made", api.count())
	}
}

func TestExplorerSaysWhatIsWrong(t *testing.T) {
	s, api := explorerSite(t, answerJSON)
	b := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	for field, bad := range map[string][]string{
		"method":  {"", "TRACE", "get", "CONNECT"},
		"path":    {"orders", "//evil.example/x", "/../admin", "/a/../../b", "/%2e%2e/b", "/a?b", "/a#b", "/\\evil", "/%zz", "/a\r\nb", "/" + strings.Repeat("a", 4096), "/./a"},
		"query":   {"a=1#b", "a\r\nb: c"},
		"headers": {"Authorization: Bearer x", "host: evil.example", "Cookie: a=b", "X-Latchkey-Team: 1", "Transfer-Encoding: chunked", "Content-Length: 1", "no colon", ": empty", "X A: b", "X-A: é", "X-A: a\x00b"},
		"body":    {"a\x00b", "\xff"},
	} {
		for _, value := range bad {
			fields := values("route", "/v1", "method", "POST")
			fields.Set(field, value)
			got := b.do(http.MethodPost, explorerPage, fields, nil)
			if _, problem := got.field(field); got.StatusCode != http.StatusUnprocessableEntity || problem == "" {
				t.Errorf("%s %q: %s, %q", field, value, got.Status, problem)
			}
		}
	}
	b.post(explorerPage, "route", "/v1", "method", "GET", "body", "x").expect(t, http.StatusUnprocessableEntity, "A GET request has no body.")
	b.post(graphQLPage, "route", "/graphql", "query", " ", "variables", "[1]").expect(t, http.StatusUnprocessableEntity, "Enter a query", "Enter a JSON object")
	if api.count() != 0 {
		t.Errorf("%d calls were made", api.count())
	}
}

func TestExplorerShowsWhateverIsAnswered(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 1<<16)
	s, _ := explorerSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/binary"):
			_, _ = w.Write([]byte{0xff, 0xfe, 0, 1})
		case strings.HasSuffix(r.URL.Path, "/html"):
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<script>alert(1)</script>")
		case strings.HasSuffix(r.URL.Path, "/big"):
			_, _ = io.WriteString(w, big+"beyond")
		case strings.HasSuffix(r.URL.Path, "/teapot"):
			w.WriteHeader(http.StatusTeapot)
		case strings.HasSuffix(r.URL.Path, "/headers"):
			w.Header().Set("X-Evil", `"><script>alert(1)</script>`)
		}
	})
	b := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	send := func(path string) answer { return b.post(explorerPage, "route", "/v1", "method", "GET", "path", path) }
	send("/binary").expect(t, http.StatusOK, "The body is no text and is not shown.", "4 bytes")
	send("/teapot").expect(t, http.StatusOK, "418 I'm a teapot", "The answer has no body.")
	if got := send("/html"); strings.Contains(got.body, "<script>alert") || !strings.Contains(got.text(), "<script>alert(1)</script>") {
		t.Error("HTML of an API is not shown as text")
	}
	if got := send("/headers"); strings.Contains(got.body, "<script>alert") {
		t.Error("a header of an API is markup")
	}
	got := send("/big")
	got.expect(t, http.StatusOK, "The answer is longer. This is its first mebibyte.")
	if strings.Contains(got.body, "beyond") || !strings.Contains(got.body, big) {
		t.Error("an answer is not cut at a mebibyte")
	}
}

// R1, R4: one request of a person runs at a time.
func TestExplorerRunsOneRequestOfAPerson(t *testing.T) {
	entered, leave := make(chan struct{}, 2), make(chan struct{})
	s, _ := explorerSite(t, func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	})
	ana, ben := s.member(t, "northwind", "ana", models.RoleOwner), s.member(t, "northwind", "ben", models.RoleDeveloper)
	first, second, other := s.signedIn(t, ana), s.signedIn(t, ana), s.signedIn(t, ben)
	var wg sync.WaitGroup
	wg.Go(func() { first.post(explorerPage, "route", "/v1", "method", "GET").expect(t, http.StatusOK, "200 OK") })
	<-entered
	refused := second.post(explorerPage, "route", "/v1", "method", "GET")
	refused.expect(t, http.StatusTooManyRequests)
	if refused.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	wg.Go(func() { other.post(explorerPage, "route", "/v1", "method", "GET").expect(t, http.StatusOK, "200 OK") })
	<-entered
	close(leave)
	wg.Wait()
	second.post(explorerPage, "route", "/v1", "method", "GET").expect(t, http.StatusOK, "200 OK")
}

func TestGraphQLOverTheExplorer(t *testing.T) {
	s, api := explorerSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":{"__typename":"Query"}}`)
	})
	b := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	if got := b.get(explorerPage + "?route=/graphql"); got.to() != graphQLPage+"?route=%2Fgraphql&token=temporary" {
		t.Errorf("%s to %q", got.Status, got.to())
	}
	b.post(graphQLPage, "route", "/graphql", "query", "query($id: ID!) { a }", "variables", `{"id":"<1>"}`).expect(t, http.StatusOK, "200 OK", `"__typename": "Query"`, "Show code")
	if sent := api.last(t); sent.body != `{"query":"query($id: ID!) { a }","variables":{"id":"<1>"}}` || sent.header.Get("Content-Type") != "application/json" {
		t.Errorf("arrived: %+v", sent)
	}
	got := b.do(http.MethodPost, graphQLPage, values("route", "/graphql", "query", "{a}", "operation", "A", "headers", "X-A: 1"), http.Header{"Accept": {"application/json"}})
	var script struct{ Summary, Body string }
	if err := json.Unmarshal([]byte(got.body), &script); err != nil || !strings.HasPrefix(script.Summary, "200 OK, ") || !strings.HasSuffix(script.Summary, ", 5 points") {
		t.Errorf("%s %v", got.body, err)
	}
	if sent := api.last(t); sent.body != `{"query":"{a}","operationName":"A"}` || sent.header.Get("X-A") != "1" {
		t.Errorf("arrived: %+v", sent)
	}
	b.post(graphQLPage+"/code", "route", "/graphql", "query", "{ it(s: \"'$1#{2}\") }").expect(t, http.StatusOK, `--data-raw '{"query":"{ it(s: \"'\''$1#{2}\") }"}'`)
	if n := api.count(); n != 2 {
		t.Errorf("%d calls, want 2: code is shown without a call", n)
	}
}

// P3: the page with the editor has a policy of its own, which lets in a style element of
// this answer and no script but our own files.
func TestExplorerPolicies(t *testing.T) {
	s, _ := explorerSite(t, answerJSON)
	b := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	seen := map[string]bool{}
	for range 2 {
		policy := b.get(graphQLPage + "?route=/graphql").Header.Get("Content-Security-Policy")
		_, rest, _ := strings.Cut(policy, "style-src 'self' 'nonce-")
		nonce, _, _ := strings.Cut(rest, "'")
		if len(nonce) < 20 || seen[nonce] || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "script-src 'self';") {
			t.Errorf("policy of the editor: %s", policy)
		}
		seen[nonce] = true
	}
	plain := b.get(explorerPage)
	if policy := plain.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "style-src 'self';") || strings.Contains(policy, "nonce") {
		t.Errorf("policy of the Explorer: %s", policy)
	}
	if strings.Contains(plain.body, "graphiql") {
		t.Error("the editor is loaded on the plain page")
	}
}

func TestExplorerWithoutRoutes(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	b.get(explorerPage).expect(t, http.StatusOK, "No APIs yet", "LATCHKEY_UPSTREAMS")
	b.post(explorerPage, "method", "GET").expect(t, http.StatusNotFound)
	if got := b.get(graphQLPage); got.to() != explorerPage {
		t.Errorf("%s to %q", got.Status, got.to())
	}
}

func TestExplorerIsNotForViewers(t *testing.T) {
	s, api := explorerSite(t, answerJSON)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	_, token := s.application(t, ana, "Bot")
	b := s.signedIn(t, s.member(t, "northwind", "vic", models.RoleViewer))
	b.get(explorerPage).expect(t, http.StatusForbidden)
	b.post(explorerPage, "route", "/v1", "token", token, "method", "GET").expect(t, http.StatusForbidden)
	if page := b.get("/user/api_v2/applications"); strings.Contains(page.body, `href="`+explorerPage) {
		t.Error("a viewer is shown the way to the Explorer")
	}
	if api.count() != 0 {
		t.Error("a viewer has made a call")
	}
}

// The gateway's own host is the one in the code.
func TestExplorerCodeNamesTheGatewaysHost(t *testing.T) {
	at, _ := url.Parse("http://127.0.0.1:1")
	s := newSite(t, withRoutes(t, models.Upstream{Path: "/", Target: at, API: "v1", Cost: 1}), func(d *handlers.Deps) { d.Gateway.Host = "api.example.com" })
	b := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	b.get(explorerPage).expect(t, http.StatusOK, "curl 'http://api.example.com:8080/'")
	b.post(explorerPage, "route", "/", "method", "GET").expect(t, http.StatusOK, fmt.Sprint(http.StatusBadGateway))
}
