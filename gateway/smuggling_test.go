package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// G4: what could be read as one request or as two is refused, and the upstream sees none
// of it.
func TestSmuggling(t *testing.T) {
	const hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %TOKEN%\r\n\r\n"
	for name, framing := range map[string]string{
		"two lengths":            "Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
		"two lengths in one":     "Content-Length: 0, 44\r\n\r\n",
		"a signed length":        "Content-Length: +0\r\n\r\n",
		"a negative length":      "Content-Length: -1\r\n\r\n",
		"a length in hex":        "Content-Length: 0x0\r\n\r\n",
		"a length with a space":  "Content-Length : 0\r\n\r\n",
		"an empty length":        "Content-Length: \r\n\r\n",
		"another encoding":       "Transfer-Encoding: gzip\r\n\r\n",
		"two encodings":          "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
		"two in one":             "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
		"an encoding in quotes":  "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
		"an encoding with a tab": "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
		"a space before a colon": "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"a folded header":        "X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length : 3\r\n\r\n0\r\n\r\n",
		"a bare return":          "X-A: b\rContent-Length: 3\r\n\r\n",
		"NUL in a header":        "X-A: b\x00\r\n\r\n",
		"no colon":               "Nonsense\r\n\r\n",
		"two hosts":              "Host: b\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t, "/=UP")
			request := "POST /shown HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + value + "\r\n" + framing + strings.ReplaceAll(hidden, "%TOKEN%", value)
			status, body := g.raw(t, request)
			if status != http.StatusBadRequest && status != http.StatusNotImplemented {
				t.Errorf("%d %q", status, body)
			}
			if seen := g.upstream.Seen(); len(seen) > 0 {
				t.Errorf("the upstream got %+v", seen)
			}
		})
	}
}

// G4: a chunk that is none ends the call, and the upstream takes it for no request.
func TestBadChunks(t *testing.T) {
	for name, body := range map[string]string{
		"no size": "zz\r\nabc\r\n0\r\n\r\n", "too large a size": "ffffffffffffffffff\r\nabc", "a negative size": "-1\r\n\r\n", "more than its size": "1\r\nabc\r\n0\r\n\r\n",
		"a size with a sign": "+3\r\nabc\r\n0\r\n\r\n", "0x": "0x3\r\nabc\r\n0\r\n\r\n", "a long extension": "3;" + strings.Repeat("x", 10_000) + "\r\nabc\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t, "/=UP")
			status, text := g.raw(t, "POST /shown HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "+value+"\r\nTransfer-Encoding: chunked\r\n\r\n"+body)
			if status != http.StatusBadRequest {
				t.Errorf("%d %q", status, text)
			}
			if seen := g.upstream.Seen(); len(seen) > 0 {
				t.Errorf("the upstream got %+v", seen)
			}
		})
	}
}

// G4, RFC 9112 section 6.1: with both lengths the chunks count, what goes on has one
// length alone, and the connection ends, so that what follows is nobody's request.
func TestLengthAndChunks(t *testing.T) {
	g := newGate(t, "/=UP")
	conn := g.dial(t)
	_, _ = fmt.Fprintf(conn, "POST /shown HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"+
		"GET /hidden HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n", value, value)
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode != http.StatusOK || !res.Close {
		t.Errorf("%d, closed %v", res.StatusCode, res.Close)
	}
	if rest, _ := io.ReadAll(in); len(rest) > 0 {
		t.Errorf("and then %q", rest)
	}
	seen := g.upstream.Seen()
	if len(seen) != 1 || seen[0].URI != "/shown" || seen[0].Body != "hello" || seen[0].Length != -1 || hasHeader(seen[0].Headers, "Content-Length") {
		t.Errorf("the upstream got %+v", seen)
	}
}

// The same length twice is one length.
func TestSameLengthTwice(t *testing.T) {
	g := newGate(t, "/=UP")
	status, body := g.raw(t, "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer "+value+"\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok")
	if seen := g.upstream.Seen(); status != 200 || len(seen) != 1 || seen[0].Length != 2 || len(seen[0].Headers["Content-Length"]) != 1 {
		t.Errorf("%d %s", status, body)
	}
}

// R2: headers over 16 KiB in all are refused before anything is looked at.
func TestLargeHeaders(t *testing.T) {
	g := newGate(t, "/=UP")
	for name, headers := range map[string]string{
		"one of 1 MB": "X-Large: " + strings.Repeat("x", 1<<20) + "\r\n", "many": strings.Repeat("X-Many: "+strings.Repeat("y", 100)+"\r\n", 10_000),
		"a name of 1 MB": strings.Repeat("n", 1<<20) + ": x\r\n", "a line of 1 MB": "",
	} {
		target := "/x"
		if headers == "" {
			target += "?" + strings.Repeat("q", 1<<20)
		}
		conn := g.dial(t)
		go func() {
			_, _ = io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "+value+"\r\n"+headers+"\r\n") // it may be cut off before the end
		}()
		if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: %v %v", name, res, err)
		}
	}
	if seen := g.upstream.Seen(); len(seen) > 0 {
		t.Errorf("%+v", seen)
	}
}
