package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// TestOAuth2Library is the usual Go client, as it comes.
func TestOAuth2Library(t *testing.T) {
	t.Parallel()
	s, ana := owner(t, "--scopes", "api,reports")
	app := ana.create("Trading bot")
	secret := ana.reveal(app + "/secret")
	for name, style := range map[string]oauth2.AuthStyle{"header": oauth2.AuthStyleInHeader, "body": oauth2.AuthStyleInParams, "found out": oauth2.AuthStyleAutoDetect} {
		t.Run(name, func(t *testing.T) {
			config := clientcredentials.Config{
				ClientID: ana.clientIDOf(app), ClientSecret: secret, TokenURL: s.base + "/oauth2/token", AuthStyle: style, Scopes: []string{"api"},
			}
			token, err := config.Token(t.Context())
			must(t, err)
			if left := time.Until(token.Expiry); token.Type() != "Bearer" || left < 4*time.Hour+59*time.Minute || left > 5*time.Hour {
				t.Errorf("token of type %s for %s, want Bearer for 5h", token.Type(), left)
			}
			res, err := config.Client(t.Context()).Do(ana.request(http.MethodGet, "/oauth2/verify", ""))
			must(t, err)
			defer res.Body.Close()
			if res.StatusCode != http.StatusOK || res.Header.Get("X-Latchkey-Client-Id") != config.ClientID || res.Header.Get("X-Latchkey-Scope") != "api" {
				t.Errorf("verify: %s %v", res.Status, res.Header)
			}
			config.ClientSecret += "x"
			wantOAuthError(t, config, "invalid_client", http.StatusUnauthorized)
			config.ClientSecret, config.Scopes = secret, []string{"reports"}
			wantOAuthError(t, config, "invalid_scope", http.StatusBadRequest)
		})
	}
}

func wantOAuthError(t *testing.T, config clientcredentials.Config, code string, status int) {
	t.Helper()
	_, err := config.Token(t.Context())
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.ErrorCode != code || refused.Response.StatusCode != status || refused.ErrorDescription == "" {
		t.Errorf("got %v, want %s with status %d", err, code, status)
	}
}

// TestCurl is how the story of the issue ends.
func TestCurl(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal("curl is not in PATH: install it (Debian: apt-get install curl)")
	}
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), curl, append([]string{"--silent", "--show-error", "--noproxy", "*"}, args...)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		return string(out)
	}
	s, ana := owner(t)
	app := ana.create("Trading bot")
	answer := run("-X", "POST", s.base+"/oauth2/token", "-H", "Content-Type: application/x-www-form-urlencoded",
		"--data-urlencode", "grant_type=client_credentials", "--data-urlencode", "client_id="+ana.clientIDOf(app),
		"--data-urlencode", "client_secret="+ana.reveal(app+"/secret"), "--data-urlencode", "scope=api")
	var token struct {
		Value   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
		Scope   string `json:"scope"`
		Type    string `json:"token_type"`
	}
	must(t, json.Unmarshal([]byte(answer), &token))
	if token.Seconds != 18000 || token.Scope != "api" || token.Type != "bearer" || !strings.HasPrefix(token.Value, "lk_at_") {
		t.Errorf("the token endpoint answers %s", answer)
	}
	verify := func() string { return run("-i", s.base+"/oauth2/verify", "-H", "Authorization: Bearer "+token.Value) }
	if got := verify(); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("verify: %s", got)
	}
	ana.deed(app+"/revoke", nil)
	got := verify()
	if !strings.HasPrefix(got, "HTTP/1.1 401 ") || !strings.Contains(got, "\r\n\r\nUnauthorized") || !strings.Contains(got, `error="invalid_token"`) {
		t.Errorf("verify after Revoke: %s", got)
	}
}

// TestSampleOfTheDocs runs the curl sample that the application's page shows.
func TestSampleOfTheDocs(t *testing.T) {
	t.Parallel()
	p, _, app := signedIn(t)
	p.open(app)
	code := p.whole().copied("Copy code", "Code copied")
	cmd := exec.CommandContext(t.Context(), "sh")
	cmd.Stdin = strings.NewReader(strings.Replace(code, "curl ", "curl --silent --noproxy '*' ", 1))
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	answer, err := io.ReadAll(out)
	must(t, err)
	must(t, cmd.Wait())
	if !strings.Contains(string(answer), `"access_token":"lk_at_`) {
		t.Errorf("the copied code answers %s\n%s", answer, code)
	}
}
