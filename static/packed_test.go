package static_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"

	"github.com/latchkey/latchkey/static"
)

func TestPackedFiles(t *testing.T) {
	for name, kind := range map[string]string{"graphiql.js": "text/javascript; charset=utf-8", "graphiql.css": "text/css; charset=utf-8"} {
		path := static.Path(name)
		if !regexp.MustCompile(`^/static/graphiql\.[0-9a-f]{12}\.(js|css)$`).MatchString(path) {
			t.Errorf("%s is at %s", name, path)
		}
		plain, packed := request(t, http.MethodGet, path, ""), request(t, http.MethodGet, path, "gzip, br")
		for _, answer := range []struct{ got, want string }{
			{plain.Header().Get("Content-Type"), kind}, {packed.Header().Get("Content-Type"), kind},
			{plain.Header().Get("Content-Encoding"), ""}, {packed.Header().Get("Content-Encoding"), "gzip"},
			{packed.Header().Get("Content-Length"), strconv.Itoa(packed.Body.Len())},
			{packed.Header().Get("Vary"), "Accept-Encoding"}, {packed.Header().Get("X-Content-Type-Options"), "nosniff"},
			{packed.Header().Get("Cache-Control"), "public, max-age=31536000, immutable"},
		} {
			if answer.got != answer.want {
				t.Errorf("%s: %q, want %q", name, answer.got, answer.want)
			}
		}
		unpacked, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(unpacked)
		if err != nil || !bytes.Equal(text, plain.Body.Bytes()) || len(text) == 0 {
			t.Errorf("%s differs between its two forms: %v", name, err)
		}
		if head := request(t, http.MethodHead, path, "gzip"); head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d with %d bytes", name, head.Code, head.Body.Len())
		}
	}
	for _, path := range []string{"/static/graphiql.js", "/static/graphiql.000000000000.js", "/static/graphiql.js.gz"} {
		if got := request(t, http.MethodGet, path, "gzip"); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

// P3: the editor's files load nothing else and evaluate no text.
func TestTheEditorKeepsToThePolicy(t *testing.T) {
	style := request(t, http.MethodGet, static.Path("graphiql.css"), "").Body.String()
	if found := regexp.MustCompile(`@import|url\(`).FindString(style); found != "" {
		t.Errorf("the style sheet has %s", found)
	}
	script := request(t, http.MethodGet, static.Path("graphiql.js"), "").Body.String()
	if found := regexp.MustCompile(`\beval\(|new Function\(|[^.\w]import\(|document\.write\(`).FindString(script); found != "" {
		t.Errorf("the script has %s", found)
	}
}
