package oauth

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
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
	// What of the query can be read counts, whatever else stands in it.
	query, _ := url.ParseQuery(r.URL.RawQuery)
	for _, name := range credentialParams {
		if query.Has(name) {
			return nil, invalidRequest("Send credentials in the body or in the Authorization header, not in the address.")
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		var known *echo.HTTPError
		if errors.As(err, &known) {
			return nil, err
		}
		return nil, invalidRequest("The body could not be read.")
	}
	return parseForm(string(body))
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
