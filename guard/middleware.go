package guard

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// Middleware lets requests through whose token is good and has the scopes of Config.
func (g *Guard) Middleware(next http.Handler) http.Handler { return g.Require(g.scopes...)(next) }

// Require is Middleware with scopes of its own. Within Middleware it asks for nothing but them.
func (g *Guard) Require(scopes ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			found, ok := r.Context().Value(contextKey{}).(*admitted)
			if !ok || found.guard != g {
				token, err := g.admit(w, r)
				if err != nil {
					return
				}
				found = &admitted{guard: g, token: token}
				r = r.WithContext(context.WithValue(r.Context(), contextKey{}, found))
			}
			for _, scope := range scopes {
				if !found.token.HasScope(scope) {
					g.forbid(w, scopes)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// admit checks the token of a request, and answers where it is not good.
func (g *Guard) admit(w http.ResponseWriter, r *http.Request) (Token, error) {
	value, sent := bearer(r.Header["Authorization"])
	if value == "" {
		g.refuse(w, sent)
		return Token{}, ErrRefused
	}
	token, err := g.Check(r.Context(), value)
	switch {
	case errors.Is(err, ErrRefused):
		g.refuse(w, true)
	case err != nil:
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, "Service Unavailable")
	}
	return token, err
}

// bearer takes the token from the Authorization headers, of which there may be one (RFC
// 6750 section 2.1). sent tells whether there was a token at all, good form or not.
func bearer(headers []string) (value string, sent bool) {
	if len(headers) != 1 {
		return "", len(headers) > 1
	}
	scheme, rest, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	value = strings.Trim(rest, " ")
	if strings.ContainsAny(value, " ,\t") {
		return "", true
	}
	return value, value != ""
}

// refuse names an error only where a token was sent (RFC 6750 section 3.1).
func (g *Guard) refuse(w http.ResponseWriter, sent bool) {
	challenge := g.challenge()
	if sent {
		challenge += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	answer(w, http.StatusUnauthorized, "Unauthorized")
}

func (g *Guard) forbid(w http.ResponseWriter, scopes []string) {
	challenge := g.challenge() + `, error="insufficient_scope"`
	if wanted := strings.Join(scopes, " "); isScope(strings.ReplaceAll(wanted, " ", "")) {
		challenge += `, scope="` + wanted + `"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	answer(w, http.StatusForbidden, "Forbidden: insufficient_scope\n")
}

func (g *Guard) challenge() string {
	return `Bearer realm="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(g.realm) + `"`
}

func answer(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // it may have gone
}
