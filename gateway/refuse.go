package gateway

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/usage"
)

// refuse answers with one sentence.
func (g *Gateway) refuse(w http.ResponseWriter, from Caller, status int, sentence string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if from.HTTPS {
		h.Set("Strict-Transport-Security", strictTransport)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, sentence) //nolint:gosec // plain text that holds nothing of the request; whoever left does not miss it
}

// unauthorized answers 401; it names an error only where a token was sent (RFC 6750
// section 3.1).
func (g *Gateway) unauthorized(w http.ResponseWriter, from Caller, sent bool) {
	challenge := `Bearer realm="` + g.Realm + `"`
	if sent {
		challenge += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	g.refuse(w, from, http.StatusUnauthorized, "Unauthorized")
}

// lacksScope answers 403 (RFC 6750 section 3.1).
func (g *Gateway) lacksScope(w http.ResponseWriter, r *http.Request, to *route, grant tokens.Grant, from Caller) {
	g.refusals.Add(string(models.RefusedScope))
	from.note("refused", string(models.RefusedScope))
	g.Refusals.Note(grant.Lacks(to.Scope), to.Path, from.Address, r.UserAgent())
	g.refused(to.call(grant), http.StatusForbidden)
	w.Header().Set("WWW-Authenticate", `Bearer realm="`+g.Realm+`", error="insufficient_scope", scope="`+to.Scope+`"`)
	g.refuse(w, from, http.StatusForbidden, "insufficient_scope: this API wants a token with the scope "+to.Scope+". An owner or a developer of the team can give it to the application on its page; tokens made after that have it.")
}

// overLimit answers a call that the meter did not admit.
func (g *Gateway) overLimit(w http.ResponseWriter, call usage.Call, from Caller, err error) {
	var refused usage.RefusedError
	if !errors.As(err, &refused) {
		from.note("refused", "store away")
		g.refused(call, http.StatusServiceUnavailable)
		g.unavailable(w, from)
		return
	}
	g.refused(call, g.limited(w, from, refused))
}

// limited says which limit a call has come to, and returns the status.
func (g *Gateway) limited(w http.ResponseWriter, from Caller, refused usage.RefusedError) int {
	g.limitations.Add(string(refused.Limit))
	from.note("refused", string(refused.Limit))
	status := refused.Limit.Status()
	tellRate(w.Header(), refused.Rate)
	if refused.RetryAfter > 0 {
		w.Header().Set("Retry-After", seconds(refused.RetryAfter))
	}
	g.refuse(w, from, status, refused.Text)
	return status
}

func (g *Gateway) unavailable(w http.ResponseWriter, from Caller) {
	w.Header().Set("Retry-After", "1")
	g.refuse(w, from, http.StatusServiceUnavailable, "The token cannot be checked right now. Try again in a second.")
}

// tellRate says what of a rate limit is left, as draft-ietf-httpapi-ratelimit-headers has
// it, section 3 and 4.
func tellRate(h http.Header, rate usage.Rate) {
	if rate.Limit == 0 {
		return
	}
	h["Ratelimit-Policy"] = []string{`"team";q=` + strconv.FormatInt(rate.Limit, 10) + `;w=` + seconds(rate.Window)}
	h["Ratelimit"] = []string{`"team";r=` + strconv.FormatInt(max(0, rate.Remaining), 10) + `;t=` + seconds(rate.Reset)}
}

// seconds rounds up: who waits so long has waited long enough.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((max(0, d)+time.Second-1)/time.Second), 10)
}
