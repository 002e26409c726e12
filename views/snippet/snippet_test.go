package snippet_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/views/snippet"
	"github.com/latchkey/latchkey/views/ui"
)

const token = "lk_at_0123456789Zk3Q"

// hostile is text that ends a string, or begins an expression, in one language or another.
const hostile = "'\"`\\ \\' \\\" '\\'' $HOME ${HOME} $(id) `id` {$x} #{1+1} #$0 #@a %d %s %% \\n \\u0041 \\x41 \\101 <?= ?> */ -- // # ;\n" +
	"second\n\nfourth\tTab é ß 🦊 אב \u202e\u2066\u200b\u2028\u0085\x01\x1b[31m\x7f\U000e00419 end\\"

// got is a request as it has arrived.
type got struct {
	method, target, body string
	header               http.Header
}

// programs are the languages that are run, with the file that each program is put into.
var programs = map[string]struct {
	file    string
	command []string
}{
	"curl":       {"call.sh", []string{"bash"}},
	"python":     {"call.py", []string{"python3"}},
	"go":         {"main.go", []string{"go", "run"}},
	"javascript": {"call.mjs", []string{"node"}},
	"php":        {"call.php", []string{"php"}},
	"java":       {"Call.java", []string{"java"}},
	"ruby":       {"call.rb", []string{"ruby"}},
}

// The machine that tests has these, see scripts/install-test-tools.sh. Of the others the
// strings are read as the language says, in quote_test.go.
var always = []string{"curl", "python", "go", "javascript"}

var requests = map[string]snippet.Request{
	"get":  {Method: "GET", URL: "/v1/orders%2F42/a'b$(id)?q=%27x%27&s=$HOME&t=%23%7B1%7D", Headers: []snippet.Header{{Name: "X-Note", Value: `it's "$HOME" \ #{1} {$x}`}, {Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}}},
	"post": {Method: "POST", URL: "/v1/orders", Headers: []snippet.Header{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}}, Body: hostile},
	"graphql": {
		Method: "POST", URL: "/graphql", Headers: []snippet.Header{{Name: "Content-Type", Value: "application/json"}},
		Body: `{"query":"query($id: ID!) {\n  order(id: $id) { note(like: \"it's #{1} \\\\ 🦊\") }\n}","variables":{"id":"$1"}}`,
	},
	"at":     {Method: "PUT", URL: "/v1/file", Headers: []snippet.Header{{Name: "Content-Type", Value: "text/plain"}}, Body: "@/etc/hostname"},
	"delete": {Method: "DELETE", URL: "/v1/orders/42"},
	"head":   {Method: "HEAD", URL: "/v1/orders"},
}

func TestProgramsSendTheRequest(t *testing.T) {
	var arrived []got
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived = append(arrived, got{r.Method, r.RequestURI, string(body), r.Header})
	}))
	defer server.Close()
	for lang, program := range programs {
		if _, err := exec.LookPath(program.command[0]); err != nil && !slices.Contains(always, lang) {
			t.Logf("%s is not here: only its strings are read", program.command[0])
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(requests)) {
			request := requests[name]
			arrived = nil
			request.URL = server.URL + request.URL
			run(t, t.TempDir(), lang, textOf(lang, request))
			if len(arrived) != 1 {
				t.Errorf("%s %s: %d requests arrived", lang, name, len(arrived))
				continue
			}
			compare(t, lang+" "+name, requests[name], arrived[0])
		}
	}
}

func run(t *testing.T, dir, lang, text string) {
	t.Helper()
	program := programs[lang]
	file := filepath.Join(dir, program.file)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program.command[0], append(slices.Clone(program.command[1:]), file)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_PROXY=127.0.0.1", "LC_ALL=C.UTF-8")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s\n%s", lang, err, stderr.String(), text)
	}
}

func compare(t *testing.T, name string, want snippet.Request, got got) {
	t.Helper()
	if got.method != want.Method || got.body != want.Body {
		t.Errorf("%s: %s with\n%q, want %s with\n%q", name, got.method, got.body, want.Method, want.Body)
	}
	if got.target != want.URL {
		t.Errorf("%s: %s, want %s", name, got.target, want.URL)
	}
	if got.header.Get("Authorization") != "Bearer "+token {
		t.Errorf("%s: Authorization is %q", name, got.header["Authorization"])
	}
	values := map[string]string{}
	for _, h := range want.Headers {
		values[http.CanonicalHeaderKey(h.Name)] = strings.TrimPrefix(values[http.CanonicalHeaderKey(h.Name)]+", "+h.Value, ", ")
	}
	for header, value := range values {
		if have := strings.Join(got.header[header], "|"); have != value {
			t.Errorf("%s: %s is %q, want %q", name, header, have, value)
		}
	}
}

func textOf(lang string, request snippet.Request) string {
	request.Token = ui.CodePart{Kind: ui.CodeSlot, Text: token}
	var b strings.Builder
	for _, sample := range snippet.All(request) {
		for _, part := range sample.Parts {
			if sample.Lang == lang {
				b.WriteString(part.Text)
			}
		}
	}
	return b.String()
}
