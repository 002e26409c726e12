package views

import (
	"strings"

	"github.com/latchkey/latchkey/views/ui"
)

// AuthorizationDocs is the page How authorization works.
type AuthorizationDocs struct {
	Get    ui.CodePanel
	Answer string
	Use    ui.CodePanel
	Check  string
	Nginx  string
	Errors []DocsError
}

// DocsError is a row of the table of errors.
type DocsError struct{ Status, Code, From, Meaning string }

const (
	tokenEndpoint  = "token"
	verifyEndpoint = "verify"
)

var docsErrors = []DocsError{
	{"400", "invalid_request", tokenEndpoint, "The form is not urlencoded, lacks grant_type, says something twice, or has the credentials in two places."},
	{"400", "unsupported_grant_type", tokenEndpoint, "Only client_credentials is served."},
	{"400", "invalid_scope", tokenEndpoint, "The application does not have that scope."},
	{"401", "invalid_client", tokenEndpoint, "The client ID is unknown or deleted, the secret is wrong, or the application is switched off."},
	{"401", "invalid_token", verifyEndpoint, "The token is not known, has expired or was revoked."},
	{"403", "insufficient_scope", verifyEndpoint, "The token is good, and lacks the scope that was asked for."},
	{"429", "too_many_requests", tokenEndpoint, "Too many failed tries. Wait as long as Retry-After says."},
	{"503", "temporarily_unavailable", "both", "Latchkey cannot store or check just now. Wait as long as Retry-After says."},
}

const nginxSample = `location /api/ {
    auth_request /_latchkey;
    auth_request_set $team $upstream_http_x_latchkey_team;
    auth_request_set $application $upstream_http_x_latchkey_application;
    auth_request_set $client_id $upstream_http_x_latchkey_client_id;
    auth_request_set $scope $upstream_http_x_latchkey_scope;
    auth_request_set $token_id $upstream_http_x_latchkey_token_id;
    auth_request_set $expires $upstream_http_x_latchkey_expires;
    # Set all of them: what a client sends under these names is not to be believed.
    proxy_set_header X-Latchkey-Team $team;
    proxy_set_header X-Latchkey-Application $application;
    proxy_set_header X-Latchkey-Client-Id $client_id;
    proxy_set_header X-Latchkey-Scope $scope;
    proxy_set_header X-Latchkey-Token-Id $token_id;
    proxy_set_header X-Latchkey-Expires $expires;
    proxy_pass http://127.0.0.1:4000;
}

location = /_latchkey {
    internal;
    proxy_pass BASE_URL/oauth2/verify;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
    # So that "last used" names the client; Latchkey must trust this proxy.
    proxy_set_header X-Forwarded-For $remote_addr;
}`

// NewAuthorizationDocs writes the examples with the reader's own base URL.
func NewAuthorizationDocs(baseURL, scope string) AuthorizationDocs {
	return AuthorizationDocs{
		Get:    tokenSamples("get", baseURL, "CLIENT_ID", str("CLIENT_SECRET"), scope),
		Answer: `{"access_token": "…", "expires_in": 18000, "scope": "` + scope + `", "token_type": "bearer"}`,
		Use:    callSamples("use"),
		Check:  "curl -i " + baseURL + "/oauth2/verify \\\n  -H \"Authorization: Bearer ACCESS_TOKEN\"",
		Nginx:  strings.ReplaceAll(nginxSample, "BASE_URL", baseURL),
		Errors: docsErrors,
	}
}
