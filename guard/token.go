package guard

import (
	"context"
	"strings"
	"time"
)

// Token is what a good token allows, and whose it is.
type Token struct {
	// ID is the token's own: it is not its value, and may be logged.
	ID string
	// Team, Application and ClientID say whose it is.
	Team, Application, ClientID string
	// Scope holds the granted scopes, separated by spaces.
	Scope               string
	IssuedAt, ExpiresAt time.Time
}

// HasScope tells whether a scope was granted.
func (t Token) HasScope(scope string) bool {
	for granted := range strings.SplitSeq(t.Scope, " ") {
		if granted == scope && scope != "" {
			return true
		}
	}
	return false
}

// admitted is what a guard has found of a request.
type admitted struct {
	guard *Guard
	token Token
}

type contextKey struct{}

// FromContext returns the token of a request that a guard has let through.
func FromContext(ctx context.Context) (Token, bool) {
	found, ok := ctx.Value(contextKey{}).(*admitted)
	if !ok {
		return Token{}, false
	}
	return found.token, true
}

// isScope tells whether a name may stand in a header (RFC 6749 section 3.3).
func isScope(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c == '"' || c == '\\' || c > '~' {
			return false
		}
	}
	return name != ""
}
