package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/graph-gophers/graphql-go"

	"github.com/latchkey/latchkey/gateway/gatewaytest"
)

const explorerPage = "/user/explorer"

const exploredSchema = `
	type Query { order(id: ID!): Order }
	"What somebody has **bought**."
	type Order {
		id: ID!
		"In their own words."
		note: String
	}
`

type explored struct{}

type exploredOrder struct {
	ID   graphql.ID
	Note *string
}

// Order is a field of exploredSchema.
func (explored) Order(args struct{ ID graphql.ID }) *exploredOrder {
	note := fmt.Sprintf("<i>note of %s</i>", args.ID)
	return &exploredOrder{args.ID, &note}
}

// exploredAPI is a GraphQL server at /graphql and says what arrives at /v1.
func exploredAPI(t testing.TB) *httptest.Server {
	t.Helper()
	schema, err := graphql.ParseSchema(exploredSchema, &explored{}, graphql.UseFieldResolvers(), graphql.UseStringDescriptions())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /graphql", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Query, OperationName string
			Variables            map[string]any
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(schema.Exec(r.Context(), in.Query, in.OperationName, in.Variables))
	})
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"method": r.Method, "target": r.RequestURI, "body": string(body), "team": r.Header.Get("X-Latchkey-Team")})
	})
	api := httptest.NewServer(mux)
	t.Cleanup(api.Close)
	return api
}

func exploredBy(t testing.TB) (*server, *client) {
	t.Helper()
	api := exploredAPI(t)
	return owner(t, "--upstreams", "/v1="+api.URL+";cost=2 /graphql="+api.URL+";api=v2;cost=5")
}

// graphQLTab opens the editor for a token.
func graphQLTab(t testing.TB, s *server, who *client, token string) *tab {
	t.Helper()
	p := openTab(t, s.base)
	p.become(who)
	p.open(explorerPage + "?route=/graphql&token=" + idOf(token))
	p.at(explorerPage+"/graphql", "Explorer")
	eventually(t, func() string {
		// The schema is here once the documentation can be opened.
		if ready, err := tryEval[bool](p, `document.querySelector(".graphiql-query-editor .CodeMirror") !== null`); err != nil || !ready {
			return fmt.Sprintf("the editor is not there: %v", err)
		}
		return ""
	})
	return p
}

// P3: the editor works under its policy: what the browser complains about fails the test.
func TestExplorerGraphiQL(t *testing.T) {
	t.Parallel()
	s, ana := exploredBy(t)
	token := ana.generate(ana.create("Trading bot"), "laptop")
	value := ana.reveal(token)
	p := graphQLTab(t, s, ana, token)
	p.announces("200 OK")

	t.Log("run a query with variables")
	setEditor(p, ".graphiql-query-editor", `query Mine($id: ID!) { order(id: $id) { id note } }`)
	setEditor(p, ".graphiql-editor-tool", `{"id": "4'2"}`)
	p.whole().click("button", "Execute query (Ctrl-Enter)")
	eventually(t, func() string {
		if shown := eval[string](p, `document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue() ?? ""`); !strings.Contains(shown, "<i>note of 4'2</i>") {
			return "the answer is not shown but " + shown
		}
		return ""
	})
	p.announces("5 points")

	t.Log("read the documentation")
	p.whole().click("button", "Show Documentation Explorer")
	p.sees("Root Types")
	p.whole().click("link", "Query")
	p.whole().click("link", "Order")
	p.sees("In their own words.")

	t.Log("completion knows the schema")
	setEditor(p, ".graphiql-query-editor", `{ `)
	eval[bool](p, `(() => { const editor = document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror; editor.focus(); editor.setCursor(0, 2); return true })()`)
	p.press("or")
	eventually(t, func() string {
		if hint, err := tryEval[string](p, `document.querySelector(".CodeMirror-hints")?.innerText ?? ""`); err != nil || !strings.Contains(hint, "order") {
			return fmt.Sprintf("nothing is offered but %q (%v)", hint, err)
		}
		return ""
	})
	p.press("\x1b")

	t.Log("open a dialog, which brings a style element under the page's nonce")
	p.whole().click("button", "Open settings dialog")
	p.whole().find("heading", "Settings")
	if hidden := eval[string](p, `getComputedStyle(document.body).overflow`); hidden != "hidden" {
		t.Errorf("the page scrolls behind the dialog: overflow is %s", hidden)
	}
	p.press("\x1b")
	p.whole().lacks("heading", "Settings")

	t.Log("show it as code, and copy that with the token")
	setEditor(p, ".graphiql-query-editor", `query Mine($id: ID!) { order(id: $id) { id note } }`)
	p.whole().click("button", "Show code")
	p.sees(`--data-raw '{"query":"query Mine($id: ID!) { order(id: $id) { id note } }"`)
	p.hides(value)
	script := p.whole().copied("Copy code", "Code copied")
	if !strings.Contains(script, "Bearer "+value) {
		t.Fatalf("the token is not in what was copied:\n%s", script)
	}
	p.hides(value)
	got := runCopied(t, script)
	if !strings.Contains(got, `"note":"\u003ci\u003enote of 4'2\u003c/i\u003e"`) {
		t.Errorf("what was copied answers %s", got)
	}
	if kept := eval[float64](p, "localStorage.length + sessionStorage.length"); kept != 0 {
		t.Errorf("%v entries are kept in the browser", kept)
	}
}

// setEditor types into an editor as a paste over all of it does.
func setEditor(p *tab, scope, text string) {
	p.t.Helper()
	eval[bool](p, `(() => { const editor = document.querySelector("`+scope+` .CodeMirror").CodeMirror; editor.focus(); editor.execCommand("selectAll"); return true })()`)
	p.insert(text)
}

// runCopied runs a command that was copied for a shell.
func runCopied(t *testing.T, script string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "call.sh")
	must(t, os.WriteFile(file, []byte(script), 0o600))
	out, err := exec.CommandContext(t.Context(), "bash", file).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, script)
	}
	return string(out)
}

func TestExplorerWithoutScript(t *testing.T) {
	t.Parallel()
	s, ana := exploredBy(t)
	ana.generate(ana.create("Trading bot"), "laptop")
	p := openTab(t, s.base)
	p.become(ana)
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.open(explorerPage)
	p.sees("not for production")
	p.leave(p.whole().first("link", "Use a token of an application instead").tap)
	p.sees("Token of Trading bot")
	p.whole().choose("Method", "PUT")
	p.whole().fill("Path", "/orders/4 2")
	p.whole().fill("Query", "note=it's")
	p.whole().fill("Body", `{"a": "é"}`)
	p.whole().follow("button", "Show code")
	p.sees("curl -X PUT")
	p.whole().follow("button", "Send")
	p.sees("200 OK")
	p.sees(`"target": "/v1/orders/4%202?note=it%27s"`)
	p.sees(`"body": "{\"a\": \"é\"}"`)
	if got := p.whole().find("textbox", "Path").value(); got != "/orders/4 2" {
		t.Errorf("the path is now %q", got)
	}

	t.Log("GraphQL is a plain form")
	p.whole().choose("Route", "/graphql · API v2, 5 points, GraphQL")
	p.whole().follow("button", "Choose")
	p.at(explorerPage+"/graphql", "Explorer")
	p.whole().fill("GraphQL query", `query($id: ID!) { order(id: $id) { note } }`)
	p.whole().fill("Variables", `{"id": "7"}`)
	p.whole().follow("button", "Send")
	p.sees("note of 7")
}

// TestExplorerPages looks at the pages of the Explorer as TestPages does at the others.
func TestExplorerPages(t *testing.T) {
	t.Parallel()
	s, ana := exploredBy(t)
	token := ana.generate(ana.create("Trading bot"), "laptop")
	for _, theme := range themes {
		p := openTab(t, s.base)
		p.scheme(theme)
		p.become(ana)
		p.open(explorerPage)
		p.look("explorer "+theme, "")
		p.open(explorerPage + "?token=" + idOf(token))
		p.whole().fill("Path", "/orders")
		p.whole().follow("button", "Send")
		p.look("explorer answer "+theme, "")
		p.expect(http.StatusUnprocessableEntity)
		p.whole().fill("Path", "orders")
		p.whole().follow("button", "Send")
		p.sees("Begin with a slash")
		p.look("explorer error "+theme, "")
	}
	none, ben := owner(t)
	p := openTab(t, none.base)
	p.become(ben)
	p.open(explorerPage)
	p.look("explorer none", "")
	var collection struct{ Info struct{ Schema string } }
	got := ana.get(explorerPage + "/postman")
	must(t, json.Unmarshal([]byte(got.body), &collection))
	if _, err := url.Parse(collection.Info.Schema); err != nil || collection.Info.Schema == "" {
		t.Errorf("the collection names no schema: %v", err)
	}
}

// TestExplorerGraphiQLPage looks at the page around the editor, and at the editor by eye: its
// own markup is not ours to mend.
func TestExplorerGraphiQLPage(t *testing.T) {
	t.Parallel()
	s, ana := exploredBy(t)
	token := ana.generate(ana.create("Trading bot"), "laptop")
	for _, theme := range themes {
		p := graphQLTab(t, s, ana, token)
		p.scheme(theme)
		p.announces("200 OK")
		// A tab of GraphiQL holds its own close button.
		eval[bool](p, `(() => { document.querySelectorAll(".graphiql-tab").forEach((tab) => tab.remove()); return true })()`)
		p.look("graphiql "+theme, "")
	}
}

// A subscription runs over a WebSocket that a ticket opens; the token stays on the server.
func TestExplorerSubscribes(t *testing.T) {
	t.Parallel()
	api := gatewaytest.New(t)
	s, ana := owner(t, "--upstreams", "/graphql="+api.URL+"/graphql;ws;cost=1")
	token := ana.generate(ana.create("Trading bot"), "laptop")
	value := ana.reveal(token)
	p := graphQLTab(t, s, ana, token)
	p.announces("200 OK")
	setEditor(p, ".graphiql-query-editor", `subscription { count(to: 3) }`)
	p.whole().click("button", "Execute query (Ctrl-Enter)")
	eventually(t, func() string {
		if shown := eval[string](p, `document.querySelector(".result-window .CodeMirror")?.CodeMirror.getValue() ?? ""`); !strings.Contains(shown, `"count": 2`) {
			return "the last number is not shown but " + shown
		}
		return ""
	})
	p.hides(value)
}
