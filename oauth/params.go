package oauth

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// credentialParams must not stand in an address, where logs keep them.
var credentialParams = []string{"client_id", "client_secret", "client_assertion"}

// readForm reads the parameters of the body, and of the body alone (RFC 6749
// section 3.2): an empty one counts as absent, one sent twice is an error.
func readForm(r *http.Request) (map[string]string, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || mediaType != echo.MIMEApplicationForm {
		return nil, invalidRequest("Send the parameters as application/x-www-form-urlencoded.")
	}
	if hasCredentials(r.URL.RawQuery) {
		return nil, invalidRequest("Send credentials in the body or in the Authorization header, not in the address.")
	}
	body, err := io.ReadAll(r.Body)
	var known *echo.HTTPError
	switch {
	case errors.As(err, &known):
		return nil, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errTooSlow
	case err != nil:
		return nil, invalidRequest("The body could not be read.")
	}
	return parseForm(string(body))
}

// hasCredentials counts what of the query can be read, by whichever separator, and
// whatever else stands in it.
func hasCredentials(query string) bool {
	for _, pair := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		rawName, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(rawName); err == nil && slices.Contains(credentialParams, name) {
			return true
		}
	}
	return false
}

func parseForm(body string) (map[string]string, error) {
	params := map[string]string{}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(body, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(rawName)
		value, valueErr := url.QueryUnescape(rawValue)
		if nameErr != nil || valueErr != nil || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, invalidRequest("A parameter is not valid percent-encoded UTF-8.")
		}
		if seen[name] {
			return nil, invalidRequest("A parameter was sent twice.")
		}
		seen[name] = true
		if value != "" {
			params[name] = value
		}
	}
	return params, nil
}
