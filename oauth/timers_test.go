package oauth_test

import (
	"testing"

	"github.com/latchkey/latchkey/oauth"
)

// R2: what writes, or reads without a bound of its own, is ended by the server's timer.
func TestKeepsTime(t *testing.T) {
	for path, want := range map[string]bool{
		"/oauth2/verify": true, "/oauth2/introspect": true, "/oauth2/token": false, "/oauth2/revoke": false,
		"/.well-known/oauth-authorization-server": false, "/login": false, "/oauth2/verify/": false, "/": false,
	} {
		if got := oauth.KeepsTime(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}
