package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// verify tells a proxy whether a request may pass, by its Authorization header
// (RFC 6750 section 2.1) and nothing else of it.
func (h *Handler) verify(c echo.Context) error {
	value, sent, ok := tokens.Bearer(c.Request().Header.Values(echo.HeaderAuthorization))
	if !ok {
		reason := noToken
		if sent {
			reason = models.RefusedMalformed
		}
		h.unverified.Add(string(reason))
		middleware.Annotate(c, "refused", string(reason))
		return h.unauthorized(c, sent)
	}
	grant, err := h.Verifier.Inspect(c.Request().Context(), value, "")
	var refused tokens.RefusedError
	if errors.As(err, &refused) {
		middleware.Annotate(c, "refused", string(refused.Reason))
		h.unverified.Add(string(refused.Reason))
		h.note(c, refused)
		return h.unauthorized(c, true)
	}
	if err != nil {
		return err
	}
	if raw := c.Request().URL.RawQuery; raw != "" {
		query, err := url.ParseQuery(raw)
		if err != nil {
			// A scope that cannot be read might be one that is missing.
			return invalidRequest("The query cannot be read.")
		}
		if wanted, missing := missingScope(query["scope"], grant.Scopes); missing {
			h.unverified.Add(string(models.RefusedScope))
			h.note(c, grant.Lacks(wanted))
			return h.forbidden(c, wanted)
		}
	}
	h.Verifier.Used(grant, c.RealIP())
	grant.Describe(c.Response().Header())
	return c.NoContent(http.StatusOK)
}

// note keeps a refusal under our own path: what a proxy says of the original one is not
// to be relied on.
func (h *Handler) note(c echo.Context, refused tokens.RefusedError) {
	h.Refusals.Note(refused, verifyPath, c.RealIP(), c.Request().UserAgent())
}

func (h *Handler) challenge() string { return `Bearer realm="` + h.Realm + `"` }

// unauthorized answers 401; it names an error only where a token was sent
// (RFC 6750 section 3.1).
func (h *Handler) unauthorized(c echo.Context, sent bool) error {
	challenge := h.challenge()
	if sent {
		challenge += `, error="invalid_token"`
	}
	c.Response().Header().Set(echo.HeaderWWWAuthenticate, challenge)
	return c.String(http.StatusUnauthorized, "Unauthorized")
}

// forbidden answers 403 (RFC 6750 section 3.1).
func (h *Handler) forbidden(c echo.Context, wanted string) error {
	challenge := h.challenge() + `, error="insufficient_scope"`
	if wanted != "" {
		challenge += `, scope="` + wanted + `"`
	}
	c.Response().Header().Set(echo.HeaderWWWAuthenticate, challenge)
	middleware.Annotate(c, "refused", "insufficient scope")
	return c.String(http.StatusForbidden, "Forbidden: insufficient_scope\n")
}

// missingScope tells whether a scope is wanted that was not granted. What comes
// back goes into a header, so it holds only the characters of RFC 6749 section 3.3.
func missingScope(asked []string, granted string) (wanted string, missing bool) {
	have := strings.Fields(granted)
	var names []string
	for _, list := range asked {
		if list == "" {
			continue // as if it were absent
		}
		for name := range strings.SplitSeq(list, " ") {
			missing = missing || !slices.Contains(have, name)
			if models.IsScope(name) {
				names = append(names, name)
			}
		}
	}
	return strings.Join(names, " "), missing
}
