package e2e

import (
	"database/sql"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// latchkeys are the headers that an API may take for Latchkey's.
func latchkeys(header http.Header) map[string][]string {
	found := map[string][]string{}
	for name, values := range header {
		if plain := strings.ReplaceAll(strings.ToLower(name), "_", "-"); strings.HasPrefix(plain, "x-latchkey") {
			found[plain] = append(found[plain], values...)
		}
	}
	return found
}

// G2: what verify answers is what the API gets, each header once, whatever the
// client sends; the client's token and cookies end at the proxy.
func (e *edge) headers(t *testing.T, http2 bool) {
	r := e.latchkeyAnswers(t)
	want := latchkeys(r.header)
	if len(want) != 6 {
		t.Fatalf("verify answers %v", want)
	}
	header := http.Header{
		"Authorization": {"Bearer " + e.good}, "Cookie": {"__Host-latchkey=stolen; other=1"}, "Accept": {"text/x-mine"},
		"X-Latchkey-Team": {"spoofed", "spoofed again"}, "x-latchkey-application": {"spoofed"}, "X-LATCHKEY-SCOPE": {"spoofed"},
		"x_latchkey_team": {"spoofed"}, "X_Latchkey-Client_Id": {"spoofed"}, "X-Latchkey_Token-Id": {"spoofed"}, "X_LATCHKEY_EXPIRES": {"spoofed"},
		"X-Forwarded-For": {"203.0.113.9"}, "Forwarded": {"for=203.0.113.9"}, "X-Real-Ip": {"203.0.113.9"}, "X-Forwarded-Proto": {"gopher"},
	}
	if !http2 {
		header["Connection"] = []string{"X-Latchkey-Team, X-Latchkey-Scope, Authorization", "x-forwarded-for, Upgrade"}
		header["Upgrade"] = []string{"websocket"}
	}
	e.api.take()
	request := e.call(t, http.MethodGet, "/", "", header)
	got := e.send(t, &http.Client{Transport: e.transport(http2), Timeout: patience}, request)
	reached := e.api.take()
	if got.status != http.StatusOK || len(reached) != 1 {
		t.Fatalf("%d %q, and the API got %v", got.status, got.body, reached)
	}
	arrived := reached[0].header
	if found := latchkeys(arrived); !maps.EqualFunc(found, want, slices.Equal) {
		t.Errorf("the API got %v, want %v", found, want)
	}
	for name, values := range map[string][]string{
		"Authorization": nil, "Cookie": nil, "Forwarded": nil, "X-Real-Ip": nil, "Connection": nil, "Upgrade": nil, "Accept": {"text/x-mine"},
		"X-Forwarded-For": {e.from}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {apiHost}, // G3
	} {
		if !slices.Equal(arrived.Values(name), values) {
			t.Errorf("the API got %s %q, want %q", name, arrived.Values(name), values)
		}
	}
}

// latchkeyAnswers is verify's own answer about the good token.
func (e *edge) latchkeyAnswers(t *testing.T) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.latchkey.base+"/oauth2/verify", nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+e.good)
	return e.send(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}, r)
}

func (e *edge) body(t *testing.T) {
	for _, method := range []string{http.MethodPost, "QUERY"} {
		for _, size := range []int{0, 1, 300_000} {
			body := strings.Repeat("b", size)
			e.api.take()
			got := e.send(t, e.http, e.call(t, method, "/things", body, http.Header{"Authorization": {"Bearer " + e.good}}))
			if reached := e.api.take(); got.status != 200 || len(reached) != 1 || reached[0].body != body || reached[0].method != method {
				t.Errorf("%s with %d bytes: %d, and %d requests reached the API", method, size, got.status, len(reached))
			}
			got = e.send(t, e.http, e.call(t, method, "/things", body, http.Header{"Authorization": {badToken}}))
			if reached := e.api.take(); got.status != 401 || len(reached) != 0 {
				t.Errorf("%s with %d bytes and a bad token: %d, and %d requests reached the API", method, size, got.status, len(reached))
			}
		}
	}
}

// The very next request after Revoke is refused.
func (e *edge) revoked(t *testing.T) {
	ana := e.as(t)
	path := ana.generate(ana.create("Revoked"), "laptop")
	token := "Bearer " + ana.reveal(path)
	if got, _ := e.ask(t, http.MethodGet, "/", token); got.status != 200 {
		t.Fatalf("before Revoke: %d", got.status)
	}
	ana.deed(path+"/revoke", nil)
	if got, reached := e.ask(t, http.MethodGet, "/", token); got.status != 401 || len(reached) != 0 {
		t.Errorf("after Revoke: %d, and the API got %v", got.status, reached)
	}
}

// G3: "last used from" is the client's address, not the proxy's, and not what
// the client says.
func (e *edge) address(t *testing.T) {
	ana := e.as(t)
	path := ana.generate(ana.create("Located"), "laptop")
	header := http.Header{"Authorization": {"Bearer " + ana.reveal(path)}, "X-Forwarded-For": {"203.0.113.9"}, "Forwarded": {"for=203.0.113.9"}}
	if got := e.send(t, e.http, e.call(t, http.MethodGet, "/", "", header)); got.status != 200 {
		t.Fatal(got.status)
	}
	eventually(t, func() string {
		var from string
		withDatabase(t, e.latchkey.dir, func(db *sql.DB) {
			must(t, db.QueryRowContext(t.Context(), "SELECT last_used_from FROM tokens WHERE id = ?", idOf(path)).Scan(&from))
		})
		if from != e.from {
			return "last used from " + from + ", want " + e.from
		}
		return ""
	})
}
