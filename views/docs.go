package views

import (
	"strings"

	"github.com/latchkey/latchkey/views/ui"
)

// AuthorizationDocs is the page How authorization works.
type AuthorizationDocs struct {
	BaseURL string
	Get     ui.CodePanel
	Answer  string
	Use     ui.CodePanel
	Check   string
	Nginx   string
	Errors  []DocsError
}

// DocsError is a row of the table of errors.
type DocsError struct{ Status, Code, Meaning string }

var docsErrors = []DocsError{
	{"400", "invalid_request", "The form is not urlencoded, lacks grant_type, says something twice, or has the credentials in two places."},
	{"400", "unsupported_grant_type", "Only client_credentials is served."},
	{"400", "invalid_scope", "The application does not have that scope."},
	{"401", "invalid_client", "The client ID is unknown or deleted, or the secret is wrong."},
	{"401", "invalid_token", "The token is not known, has expired or was revoked."},
	{"403", "insufficient_scope", "The token is good, and lacks the scope that was asked for."},
	{"429", "", "Too many failed tries. Wait as long as Retry-After says."},
	{"503", "", "Latchkey cannot store or check just now. Wait as long as Retry-After says."},
}

const nginxSample = `location /api/ {
    auth_request /_latchkey;
    auth_request_set $team $upstream_http_x_latchkey_team;
    proxy_set_header X-Latchkey-Team $team;
    proxy_pass http://127.0.0.1:4000;
}

location = /_latchkey {
    internal;
    proxy_pass BASE_URL/oauth2/verify;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
}`

// NewAuthorizationDocs writes the examples with the reader's own base URL.
func NewAuthorizationDocs(baseURL, scope string) AuthorizationDocs {
	return AuthorizationDocs{
		BaseURL: baseURL,
		Get:     tokenSamples("get", baseURL, "CLIENT_ID", str("CLIENT_SECRET"), scope),
		Answer:  `{"access_token": "…", "expires_in": 18000, "scope": "` + scope + `", "token_type": "bearer"}`,
		Use:     callSamples("use"),
		Check:   "curl -i " + baseURL + "/oauth2/verify \\\n  -H \"Authorization: Bearer ACCESS_TOKEN\"",
		Nginx:   strings.ReplaceAll(nginxSample, "BASE_URL", baseURL),
		Errors:  docsErrors,
	}
}
