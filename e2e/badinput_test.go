package e2e

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// canary stands wherever a request has room for text. It must not come back (O11).
const canary = "canaryZk3Q"

// oddRequest is a request as no client library would send it. Empty parts are filled
// in as a good client would.
type oddRequest struct {
	what, line, headers, body string
	status                    int
	code                      string // of the JSON error, empty where net/http or a page answers
}

func (in oddRequest) bytes(endpoint string) string {
	line, headers := in.line, in.headers
	if line == "" {
		line = "POST $ HTTP/1.1"
	}
	for name, value := range map[string]string{"Host": canary + ".example", "Content-Type": "application/x-www-form-urlencoded"} {
		if !strings.Contains(headers, name) {
			headers += "\n" + name + ": " + value
		}
	}
	if !strings.Contains(headers, "Content-Length") && !strings.Contains(headers, "Transfer-Encoding") {
		headers += "\nContent-Length: " + strconv.Itoa(len(in.body))
	}
	headers = strings.TrimPrefix(headers, "\n") + "\nConnection: close"
	return strings.ReplaceAll(line, "$", endpoint) + "\r\n" + strings.ReplaceAll(headers, "\n", "\r\n") + "\r\n\r\n" + in.body
}

var sentence = regexp.MustCompile(`^\{"error":"[a-z_]+","error_description":"[ !#-\[\]-~]+\."\}\s*$`)

// check sends the input and looks at the one answer.
func (in oddRequest) check(t *testing.T, s *server, endpoint string) {
	t.Helper()
	all := s.wire(t, in.bytes(endpoint))
	if len(all) != 1 {
		t.Errorf("%s at %s: %d answers", in.what, endpoint, len(all))
		return
	}
	got := all[0]
	if got.StatusCode != in.status || in.code != "" && (!strings.Contains(got.text, `"error":"`+in.code+`"`) || !sentence.MatchString(got.text)) {
		t.Errorf("%s at %s: %d %s, want %d %s", in.what, endpoint, got.StatusCode, got.text, in.status, in.code)
	}
	var headers strings.Builder
	must(t, got.Header.Write(&headers))
	if strings.Contains(headers.String()+got.text, canary) {
		t.Errorf("%s at %s: what was sent comes back: %s%s", in.what, endpoint, headers.String(), got.text)
	}
	if in.status == http.StatusMethodNotAllowed && got.Header.Get("Allow") == "" {
		t.Errorf("%s at %s: no Allow", in.what, endpoint)
	}
}

// O4, O5: forms that no endpoint takes, and some that look odd and are good.
func TestBadForms(t *testing.T) {
	t.Parallel()
	b := newBadInput(t)
	const bad = "invalid_request"
	anonymous := "grant_type=client_credentials&token=x"
	for _, in := range []oddRequest{
		{what: "good", body: b.good, status: 200},
		{what: "charset", headers: "Content-Type: application/x-www-form-urlencoded; charset=\"" + canary + "\"", body: b.good, status: 200},
		{what: "Basic", headers: b.basic, body: anonymous, status: 200},
		{what: "header names in small letters", headers: strings.ToLower(b.basic[:13]) + b.basic[13:], body: anonymous, status: 200},
		{what: "unknown parameter", body: b.good + "&" + canary + "=" + canary, status: 200},
		{what: "NUL in an unknown parameter", body: b.good + "&x=\x00&y=%00", status: 200},
		{what: "10 kB token", body: strings.Replace(b.good, "token=x", "token="+strings.Repeat("a", 10_000), 1), status: 200},
		{what: "unknown parameter doubled", body: b.good + "&" + canary + "=1&" + canary + "=2", status: 400, code: bad},
		{what: "token doubled", body: b.good + "&token=" + canary, status: 400, code: bad},
		{what: "client doubled", body: b.good + "&client_id=" + canary, status: 400, code: bad},
		{what: "grant doubled", body: b.good + "&grant_type=" + canary, status: 400, code: bad},
		{what: "bad percent code", body: b.good + "&" + canary + "=%zz", status: 400, code: bad},
		{what: "cut percent code", body: b.good + "&" + canary + "%", status: 400, code: bad},
		{what: "bad UTF-8", body: b.good + "&" + canary + "=\xc3\x28", status: 400, code: bad},
		{what: "bad UTF-8 in percent codes", body: b.good + "&" + canary + "=%c3%28", status: 400, code: bad},
		{what: "UTF-16", body: "\xff\xfeg\x00r\x00a\x00n\x00t\x00", status: 400, code: bad},
		{what: "NUL in the client", body: strings.Replace(b.good, "&client_secret", "%00&client_secret", 1), status: 401, code: "invalid_client"},
		{what: "JSON", headers: "Content-Type: application/json", body: `{"token":"` + canary + `"}`, status: 400, code: bad},
		{what: "multipart", headers: "Content-Type: multipart/form-data; boundary=x", body: "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n" + canary + "\r\n--x--\r\n", status: 400, code: bad},
		{what: "empty content type", headers: "Content-Type: ", body: b.good, status: 400, code: bad},
		{what: "good in the query, nothing else", line: "POST $?" + b.good + " HTTP/1.1", status: 400, code: bad},
		{what: "secret in the query", line: "POST $?client_secret=" + canary + " HTTP/1.1", body: b.good, status: 400, code: bad},
		{what: "both ways", headers: b.basic, body: b.good, status: 400, code: bad},
		{what: "two Authorization headers", headers: b.basic + "\n" + b.basic, body: anonymous, status: 400, code: bad},
		{what: "Basic and Bearer", headers: b.basic + "\nAuthorization: Bearer " + b.token, body: anonymous, status: 400, code: bad},
		{what: "Bearer", headers: "Authorization: Bearer " + b.token, body: anonymous, status: 401, code: "invalid_client"},
		{what: "Basic in bad form", headers: "Authorization: Basic " + canary, body: anonymous, status: 401, code: "invalid_client"},
		{what: "gzip", headers: "Content-Encoding: gzip", body: "\x1f\x8b\x08" + canary + "\xff", status: 400, code: bad},
	} {
		for _, endpoint := range []string{"/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"} {
			in.check(t, b.server, endpoint)
		}
	}
	for endpoint, empty := range map[string]oddRequest{
		"/oauth2/token": {status: 400, code: bad}, "/oauth2/introspect": {status: 401, code: "invalid_client"}, "/oauth2/revoke": {status: 401, code: "invalid_client"},
	} {
		for what, body := range map[string]string{"empty": "", "JSON as a form": `{"token":"` + canary + `"}`, "BOM alone": "\ufeff"} {
			oddRequest{what: what, body: body, status: empty.status, code: empty.code}.check(t, b.server, endpoint)
		}
		oddRequest{what: "HTTP/1.0 without a length", line: "POST $ HTTP/1.0", headers: "Content-Length-Not: 1", body: b.good, status: empty.status, code: empty.code}.check(t, b.server, endpoint)
	}
	oddRequest{what: "BOM", body: "\ufeff" + b.good, status: 400, code: bad}.check(t, b.server, "/oauth2/token")
	b.end(t)
}

// O12: methods, paths and framing, at every endpoint that takes a form.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	b := newBadInput(t)
	chunk := func(body string) string { return strconv.FormatInt(int64(len(body)), 16) + "\r\n" + body + "\r\n" }
	const chunked, bad = "Transfer-Encoding: chunked", "invalid_request"
	long := strings.Repeat("x", 1<<20)
	rows := []oddRequest{
		{what: "absolute form", line: "POST http://" + canary + "$ HTTP/1.1", body: b.good, status: 200},
		{what: "HTTP/1.0 with a length", line: "POST $ HTTP/1.0", body: b.good, status: 200},
		{what: "chunked", headers: chunked, body: chunk(b.good[:9]) + chunk(b.good[9:]) + "0\r\n\r\n", status: 200},
		{what: "chunked with a trailer", headers: chunked + "\nTrailer: Authorization", body: chunk(b.good) + "0\r\nAuthorization: Bearer " + canary + "\r\n\r\n", status: 200},
		{what: "waits to be told to go on", headers: "Expect: 100-continue", body: b.good, status: 200},
		{what: "doubled length, the same", headers: "Content-Length: " + strconv.Itoa(len(b.good)) + "\nContent-Length: " + strconv.Itoa(len(b.good)), body: b.good, status: 200},
		// net/http goes by Transfer-Encoding alone, as RFC 9112 section 6.1 allows.
		{what: "both lengths", headers: chunked + "\nContent-Length: 4", body: chunk(b.good) + "0\r\n\r\n", status: 200},
		{what: "chunked and too long", headers: chunked, body: chunk(b.good+"&x="+strings.Repeat("x", 16<<10)) + "0\r\n\r\n", status: 413, code: bad},
		{what: "too long", body: b.good + "&x=" + strings.Repeat("x", 16<<10), status: 413, code: bad},
		{what: "says it is too long", headers: "Content-Length: 99999999999", body: b.good, status: 413, code: bad},
		{what: "bad chunk", headers: chunked, body: "zz\r\n" + canary, status: 400, code: bad},
		{what: "chunk with a sign", headers: chunked, body: "+5\r\n" + canary, status: 400, code: bad},
		{what: "two encodings", headers: chunked + "\nTransfer-Encoding: identity", status: 501},
		{what: "chunked in another spelling", headers: "Transfer-Encoding: xchunked", status: 501},
		{what: "two lengths", headers: "Content-Length: 4\nContent-Length: 5", status: 400},
		{what: "length with a sign", headers: "Content-Length: +4", status: 400},
		{what: "negative length", headers: "Content-Length: -1", status: 400},
		{what: "two hosts", headers: "Host: a\nHost: b", status: 400},
		{what: "space before the colon", headers: "X-Other : " + canary, status: 400},
		{what: "NUL in a header", headers: "X-Other: " + canary + "\x00", status: 400},
		{what: "no colon", headers: canary, status: 400},
		{what: "bad escape in the path", line: "POST $%zz HTTP/1.1", status: 400},
		{what: "unknown protocol", line: "POST $ HTTP/3.9", status: 505},
		{what: "no protocol", line: "POST $", status: 400},
		{what: "header of 1 MB", headers: "X-Other: " + long, status: 431},
		{what: "address of 1 MB", line: "POST $?x=" + long + " HTTP/1.1", status: 431},
		{what: "another expectation", headers: "Expect: " + canary, status: 417},
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "CONNECT", "PROPFIND", "post", "Post", "ODD"} {
		rows = append(rows, oddRequest{what: method, line: method + " $ HTTP/1.1", headers: "X-HTTP-Method-Override: POST\nX-Method: POST\nX-Other: " + canary, body: b.good, status: 405, code: bad})
	}
	rows = append(rows, oddRequest{what: "HEAD", line: "HEAD $ HTTP/1.1", status: 405})
	for _, path := range []string{"/$", "$/", "$/" + canary, "$%00", "$;x", "$%2f", "/.$", "/x/..$"} {
		rows = append(rows, oddRequest{what: path, line: "POST " + path + " HTTP/1.1", body: b.good, status: 404})
	}
	for _, endpoint := range []string{"/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"} {
		for _, in := range rows {
			in.check(t, b.server, endpoint)
		}
		oddRequest{what: "capitals", body: b.good, status: 404}.check(t, b.server, strings.Replace(endpoint, "oauth", "OAuth", 1))
		oddRequest{what: "with a slash behind", body: b.good, status: 404, code: "not_found"}.check(t, b.server, endpoint+"/")
	}
	const metadata = "/.well-known/oauth-authorization-server"
	oddRequest{what: "metadata", line: "GET $ HTTP/1.1", status: 200}.check(t, b.server, metadata)
	oddRequest{what: "metadata, POST", status: 405, code: bad}.check(t, b.server, metadata)
	oddRequest{what: "metadata with a slash behind", line: "GET $/ HTTP/1.1", status: 404, code: "not_found"}.check(t, b.server, metadata)
	b.end(t)
}

// O9: one header, one scheme, one token (RFC 6750 section 2.1, RFC 9110 section 11.4).
func TestBadBearer(t *testing.T) {
	t.Parallel()
	b := newBadInput(t)
	bearer := "Authorization: Bearer " + b.token
	for headers, status := range map[string]int{
		bearer: 200, "aUTHORIZATION: bEaReR " + b.token: 200, "Authorization: Bearer    " + b.token: 200, bearer + " \t ": 200, "Authorization:Bearer " + b.token: 200,
		"Authorization: Bearer\t" + b.token: 401, "Authorization: Bearer \t" + b.token: 401, bearer + ",": 401, bearer + ", Basic x": 401, bearer + "\n" + bearer: 401,
		bearer + "\nAuthorization:": 401, "Authorization: Bearer": 401, "Authorization: " + b.token: 401, "Authorization: Bearer=" + b.token: 401, b.basic: 401,
		"Authorization: Bearer " + strings.Repeat("a", 10_000): 401, "Authorization: Bearer \xff" + canary: 401, "Authorization_: Bearer " + b.token: 401,
		"Proxy-Authorization: Bearer " + b.token: 401, "X-Original-Authorization: Bearer " + b.token: 401, "Cookie: access_token=" + b.token: 401,
	} {
		for _, line := range []string{"GET $?x=1&x=1 HTTP/1.1", "GET $ HTTP/1.0", "POST http://" + canary + "$ HTTP/1.1", "TRACE $ HTTP/1.1", "get $ HTTP/1.1"} {
			oddRequest{what: line + " " + headers, line: line, headers: headers, status: status}.check(t, b.server, "/oauth2/verify")
		}
	}
	for _, line := range []string{"GET $?access_token=" + b.token, "GET $?token=" + b.token, "GET //oauth2/verify", "GET $/"} {
		status := map[bool]int{true: 401, false: 404}[strings.Contains(line, "$?")]
		oddRequest{what: line, line: line + " HTTP/1.1", status: status}.check(t, b.server, "/oauth2/verify")
	}
	b.end(t)
}
