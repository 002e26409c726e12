package models

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// ExplorerMethods are those that the Explorer sends.
var ExplorerMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// Bounds of a request of the Explorer. Its body is bounded by that of the page's form.
const (
	maxExplorerTarget  = 4096
	maxExplorerHeaders = 50
	maxExplorerHeader  = 4096
)

// UsableToken is a manual token that is good and whose value can be opened.
type UsableToken struct {
	Token           `gorm:"embedded"`
	ApplicationName string
}

// ExplorerInput is a request as it is typed. Path is below the route, Headers are lines.
type ExplorerInput struct {
	Method, Path, Query, Headers, Body string
}

// HeaderLine is one header of a request.
type HeaderLine struct{ Name, Value string }

// ExplorerRequest is a checked ExplorerInput.
type ExplorerRequest struct {
	Method string
	// Target is the path with the route and the query, escaped: ASCII without spaces,
	// quotation marks and backslashes.
	Target string
	// Headers hold ASCII alone.
	Headers []HeaderLine
	// Body is valid UTF-8 without NUL, its lines end in \n.
	Body string
}

// Validate checks the input for a route. Fields of the error: method, path, query,
// headers, body.
func (in ExplorerInput) Validate(route Upstream) (ExplorerRequest, error) {
	errs := FieldErrors{}
	request := ExplorerRequest{Method: in.Method, Body: strings.ReplaceAll(in.Body, "\r\n", "\n")}
	if !slices.Contains(ExplorerMethods, in.Method) {
		errs["method"] = "Choose one of the methods shown."
	}
	target, problem := explorerPath(route, strings.TrimSpace(in.Path))
	if problem != "" {
		errs["path"] = problem
	}
	query, problem := explorerQuery(strings.TrimSpace(in.Query))
	if problem != "" {
		errs["query"] = problem
	}
	if query != "" {
		target += "?" + query
	}
	request.Target = target
	if len(target) > maxExplorerTarget {
		errs["path"] = "Use at most 4,096 characters for path and query together."
	}
	if request.Headers, problem = explorerHeaders(in.Headers); problem != "" {
		errs["headers"] = problem
	}
	request.nameBody()
	switch {
	case !utf8.ValidString(in.Body) || strings.ContainsRune(in.Body, 0):
		errs["body"] = "Use text without NUL characters."
	case in.Body != "" && (in.Method == "GET" || in.Method == "HEAD"):
		errs["body"] = "A " + in.Method + " request has no body. Empty it or choose another method."
	}
	return request, errs.OrNil()
}

// nameBody gives a body a type where none was named: each client would name another.
func (r *ExplorerRequest) nameBody() {
	if r.Body == "" || slices.ContainsFunc(r.Headers, func(h HeaderLine) bool { return strings.EqualFold(h.Name, "Content-Type") }) {
		return
	}
	kind := "text/plain; charset=utf-8"
	if json.Valid([]byte(r.Body)) {
		kind = "application/json"
	}
	r.Headers = append(r.Headers, HeaderLine{"Content-Type", kind})
}

// explorerPath joins what was typed to the route, which it must not leave.
func explorerPath(route Upstream, typed string) (escaped, problem string) {
	const say = "Begin with a slash, such as /orders/42. The query has a field of its own."
	base := (&url.URL{Path: strings.TrimSuffix(route.Path, "/")}).EscapedPath()
	if typed == "" {
		return (&url.URL{Path: route.Path}).EscapedPath(), ""
	}
	u, err := url.Parse(base + typed)
	if err != nil || typed[0] != '/' || strings.ContainsAny(typed, "?#\\") || u.Host != "" || strings.Contains(u.Path, "//") || !route.Covers(u.Path) || !printable(u.Path) {
		return "", say
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if part == "." || part == ".." {
			return "", "Write the path without . and .. as parts."
		}
	}
	return asciiOnly(u.EscapedPath()), ""
}

func explorerQuery(typed string) (escaped, problem string) {
	typed = strings.TrimPrefix(typed, "?")
	if strings.ContainsRune(typed, '#') || !printable(typed) {
		return "", "Write it as name=value&name=value, on one line and without #."
	}
	return asciiOnly(typed), ""
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// asciiOnly escapes what may not stand in an address (RFC 3986 section 2), and what some clients
// escape by themselves, refuse or expand. What is escaped already stays so.
func asciiOnly(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"'<>\\^`{|}[]", c) >= 0 || c == '%' && !isEscape(text[i:]) {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isEscape(text string) bool {
	const digits = "0123456789abcdefABCDEF"
	return len(text) > 2 && strings.IndexByte(digits, text[1]) >= 0 && strings.IndexByte(digits, text[2]) >= 0
}

// ownHeaders are those that the Explorer or the connection sets.
var ownHeaders = []string{
	"authorization", "connection", "content-length", "cookie", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
	"transfer-encoding", "upgrade",
}

func explorerHeaders(typed string) ([]HeaderLine, string) {
	var lines []HeaderLine
	for line := range strings.Lines(typed) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch lower := strings.ToLower(name); {
		case !ok || !isHeaderName(name):
			return nil, "Write one header a line, such as Accept: application/json."
		case lower == "authorization":
			return nil, "Leave Authorization out: the token that you chose is sent in it."
		case slices.Contains(ownHeaders, lower) || strings.HasPrefix(lower, "x-latchkey-"):
			return nil, "Leave " + name + " out: it is not for clients to set here."
		case len(line) > maxExplorerHeader || strings.ContainsFunc(value, func(r rune) bool { return r != '\t' && (r < 0x20 || r > 0x7e) }):
			return nil, "Use letters, digits and signs of ASCII in " + name + ", and at most 4,096 characters."
		}
		if lines = append(lines, HeaderLine{name, value}); len(lines) > maxExplorerHeaders {
			return nil, "Send at most 50 headers."
		}
	}
	return lines, ""
}

// isHeaderName tells whether name is a token (RFC 9110 section 5.6.2).
func isHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// GraphQLInput is a GraphQL request as it is typed. Variables are a JSON object or empty.
type GraphQLInput struct {
	Query, Variables, Operation, Headers string
}

// Validate makes the request that is sent for it. Fields of the error: query, variables,
// headers.
func (in GraphQLInput) Validate(route Upstream) (ExplorerRequest, error) {
	errs := FieldErrors{}
	if strings.TrimSpace(in.Query) == "" {
		errs["query"] = "Enter a query, such as { __typename }."
	}
	body := struct {
		Query     string          `json:"query"`
		Variables json.RawMessage `json:"variables,omitempty"`
		Operation string          `json:"operationName,omitempty"`
	}{Query: strings.ReplaceAll(in.Query, "\r\n", "\n"), Operation: in.Operation}
	if variables := strings.TrimSpace(in.Variables); variables != "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(variables), &object); err != nil {
			errs["variables"] = `Enter a JSON object, such as {"id": 42}.`
		} else if len(object) > 0 {
			body.Variables = json.RawMessage(variables)
		}
	}
	text, err := encodeJSON(body)
	if err != nil {
		errs["query"] = "Use text of valid UTF-8."
	}
	typed := ExplorerInput{Method: "POST", Headers: "Content-Type: application/json\n" + in.Headers, Body: text}
	request, err := typed.Validate(route)
	if problem, ok := err.(FieldErrors); ok { //nolint:errorlint // it is not wrapped
		for _, field := range []string{"headers", "body"} {
			if problem[field] != "" {
				errs[map[string]string{"headers": "headers", "body": "query"}[field]] = problem[field]
			}
		}
	}
	return request, errs.OrNil()
}

// encodeJSON leaves <, > and & as they are: the text is shown, not put into HTML.
func encodeJSON(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}
