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

	Sign       ui.CodePanel
	Claims     []DocsClaim
	Endpoints  []DocsEndpoint
	Introspect string
	Errors     []DocsError
}

// DocsClaim is one thing that a client assertion says.
type DocsClaim struct{ Name, Text string }

// DocsEndpoint is a row of the table of further endpoints.
type DocsEndpoint struct{ Address, Who, What string }

// DocsError is a row of the table of errors.
type DocsError struct{ Status, Code, From, Meaning string }

const (
	tokenEndpoint  = "token"
	clientEndpoint = "token, introspect, revoke"
	verifyEndpoint = "verify"
)

var moreEndpoints = []DocsEndpoint{
	{"POST /oauth2/introspect", "Resource servers, and applications for tokens of their own team", "Answers active and, for a good token, scope, client_id, sub, exp and more (RFC 7662). Whoever runs Latchkey adds resource servers by the command resource-server add."},
	{"POST /oauth2/revoke", "Applications, for their own tokens", "Ends the token. The answer is 200 whether or not there was one (RFC 7009)."},
	{"GET /.well-known/oauth-authorization-server", "Everyone", "Tells libraries the addresses and what is served (RFC 8414)."},
}

var docsErrors = []DocsError{
	{"400", "invalid_request", clientEndpoint, "The form is not urlencoded, lacks a field, says something twice, or has the credentials in two places."},
	{"400", "unsupported_grant_type", tokenEndpoint, "Only client_credentials is served."},
	{"400", "invalid_scope", tokenEndpoint, "The application does not have that scope."},
	{"400", "unauthorized_client", "token, revoke", "A resource server only introspects."},
	{"401", "invalid_client", clientEndpoint, "The client ID is unknown or deleted, the secret or the signed assertion is wrong, or the application is switched off. error_description says more."},
	{"401", "invalid_token", verifyEndpoint, "The token is not known, has expired or was revoked."},
	{"403", "insufficient_scope", verifyEndpoint, "The token is good, and lacks the scope that was asked for."},
	{"405", "invalid_request", "all but verify", "The endpoint does not take that method. Allow says which it takes."},
	{"408, 413", "invalid_request", clientEndpoint, "The form arrived too slowly, or is over 16 KiB."},
	{"429", "too_many_requests", clientEndpoint, "Too many failed tries. Wait as long as Retry-After says."},
	{"503", "temporarily_unavailable", "all", "Latchkey cannot store or check just now. Wait as long as Retry-After says."},
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

		Sign: assertionSamples("sign", baseURL, "CLIENT_ID", signEd, scope),
		Claims: []DocsClaim{
			{"iss, sub", "The client ID, both."},
			{"aud", baseURL + " or " + baseURL + "/oauth2/token, and nothing else."},
			{"exp", "When the assertion ends, at most 5 minutes ahead."},
			{"jti", "A new ID each time. An assertion counts once."},
		},
		Endpoints: moreEndpoints,
		Introspect: "curl -X POST " + baseURL + "/oauth2/introspect \\\n  -u \"CLIENT_ID:CLIENT_SECRET\" \\\n" +
			"  --data-urlencode \"token=ACCESS_TOKEN\"",
		Errors: docsErrors,
	}
}
