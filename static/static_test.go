package static_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey/latchkey/static"
)

// types lists every file that the program names, with its content type.
var types = map[string]string{
	"latchkey.css":           "text/css; charset=utf-8",
	"explorer.css":           "text/css; charset=utf-8",
	"latchkey.js":            "text/javascript; charset=utf-8",
	"icons.svg":              "image/svg+xml; charset=utf-8",
	"chevron.svg":            "image/svg+xml; charset=utf-8",
	"favicon.svg":            "image/svg+xml; charset=utf-8",
	"geist-latin.woff2":      "font/woff2",
	"geist-mono-latin.woff2": "font/woff2",
}

func request(t *testing.T, method, path, acceptEncoding string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
	r.URL.Path = path // not by NewRequest, which refuses some of the paths
	if acceptEncoding != "" {
		r.Header.Set("Accept-Encoding", acceptEncoding)
	}
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, r)
	return w
}

func wantHeader(t *testing.T, res *httptest.ResponseRecorder, name, want string) {
	t.Helper()
	if got := res.Header().Get(name); got != want {
		t.Errorf("%s = %q, want %q", name, got, want)
	}
}

func TestPathHasNameAndHash(t *testing.T) {
	form := regexp.MustCompile(`^/static/([\w-]+)\.[0-9a-f]{12}(\.\w+)$`)
	for name := range types {
		m := form.FindStringSubmatch(static.Path(name))
		if m == nil || m[1]+m[2] != name {
			t.Errorf("Path(%q) = %q", name, static.Path(name))
		}
	}
}

func TestPathPanicsOnUnknownName(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	static.Path("missing.css")
}

func TestServesEveryFile(t *testing.T) {
	for name, contentType := range types {
		t.Run(name, func(t *testing.T) {
			plain := request(t, http.MethodGet, static.Path(name), "")
			body := plain.Body.Bytes()
			if plain.Code != http.StatusOK || len(body) == 0 {
				t.Fatalf("status %d, %d bytes", plain.Code, len(body))
			}
			wantHeader(t, plain, "Content-Type", contentType)
			wantHeader(t, plain, "Content-Encoding", "")
			wantHeader(t, plain, "Content-Length", strconv.Itoa(len(body)))
			wantHeader(t, plain, "Cache-Control", "public, max-age=31536000, immutable")
			wantHeader(t, plain, "X-Content-Type-Options", "nosniff")

			packed := request(t, http.MethodGet, static.Path(name), "br, gzip")
			wantHeader(t, packed, "Content-Type", contentType)
			wire := packed.Body.Bytes()
			wantHeader(t, packed, "Content-Length", strconv.Itoa(len(wire)))
			if strings.HasSuffix(name, ".woff2") {
				wantHeader(t, packed, "Content-Encoding", "")
				wantHeader(t, packed, "Vary", "")
				if !bytes.Equal(wire, body) {
					t.Error("a font must be sent as it is")
				}
				return
			}
			wantHeader(t, packed, "Content-Encoding", "gzip")
			wantHeader(t, packed, "Vary", "Accept-Encoding")
			wantHeader(t, plain, "Vary", "Accept-Encoding")
			zr, err := gzip.NewReader(bytes.NewReader(wire))
			if err != nil {
				t.Fatal(err)
			}
			unpacked, err := io.ReadAll(zr)
			if err != nil || !bytes.Equal(unpacked, body) {
				t.Error("the compressed body differs from the plain one")
			}
		})
	}
}

func TestAcceptEncoding(t *testing.T) {
	for header, want := range map[string]string{
		"":                    "",
		"identity":            "",
		"br":                  "",
		"gzip":                "gzip",
		"GZIP":                "gzip",
		"deflate, gzip;q=0.5": "gzip",
		"gzip; q=0":           "",
		"gzip;q=0.000, *":     "",
		"*":                   "gzip",
		"*;q=0":               "",
		"*;q=0, gzip":         "gzip",
		"gzip;q=high":         "",
		"gzip;level=9":        "",
		"gzipped":             "",
	} {
		res := request(t, http.MethodGet, static.Path("latchkey.css"), header)
		if got := res.Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: Content-Encoding = %q, want %q", header, got, want)
		}
	}
}

func TestHeadHasHeadersOnly(t *testing.T) {
	for _, encoding := range []string{"", "gzip"} {
		get := request(t, http.MethodGet, static.Path("latchkey.js"), encoding)
		head := request(t, http.MethodHead, static.Path("latchkey.js"), encoding)
		if head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("HEAD: status %d, or a body", head.Code)
		}
		for name := range get.Header() {
			wantHeader(t, head, name, get.Header().Get(name))
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodOptions, "QUERY"} {
		res := request(t, method, static.Path("latchkey.css"), "")
		if res.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", method, res.Code)
		}
		wantHeader(t, res, "Allow", "GET, HEAD")
	}
}

func TestOtherPathsAreNotFound(t *testing.T) { // C5
	css := static.Path("latchkey.css")
	for _, path := range []string{
		"", "/", "/static", "/static/", "/static/../go.mod", "/static/..%2fgo.mod", "/static/latchkey.css",
		"/static/latchkey.000000000000.css", "/static/dist/latchkey.css", "/static/fonts/", "/static/static.go",
		css + "/", css + "\x00", "/static/" + css, strings.ToUpper(css),
	} {
		res := request(t, http.MethodGet, path, "gzip")
		if res.Code != http.StatusNotFound {
			t.Errorf("%q: status %d", path, res.Code)
		}
		wantHeader(t, res, "Content-Type", "text/plain; charset=utf-8")
		wantHeader(t, res, "X-Content-Type-Options", "nosniff")
		wantHeader(t, res, "Cache-Control", "")
	}
}

func TestEveryURLInTheStyleSheetResolves(t *testing.T) {
	css := request(t, http.MethodGet, static.Path("latchkey.css"), "").Body.Bytes()
	refs := regexp.MustCompile(`url\(["']?([^"')]*)["']?\)`).FindAllSubmatch(css, -1)
	if len(refs) < 3 {
		t.Fatalf("found %d references, want the two fonts and the chevron", len(refs))
	}
	for _, ref := range refs {
		path := string(ref[1])
		res := request(t, http.MethodGet, path, "")
		if !strings.HasPrefix(path, static.Prefix) || res.Code != http.StatusOK {
			t.Errorf("url(%s): status %d", path, res.Code)
		}
	}
}

func TestFirstRequestsMayComeTogether(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			res := request(t, http.MethodGet, static.Path("icons.svg"), "gzip")
			if res.Code != http.StatusOK {
				t.Errorf("status %d", res.Code)
			}
		})
	}
	wg.Wait()
}

// The limits are what a page may cost on a slow line; raise them on purpose.
func TestWeight(t *testing.T) {
	const limit, limitWithFonts = 16 << 10, 75 << 10
	text, fonts := 0, 0
	for name := range types {
		n := request(t, http.MethodGet, static.Path(name), "gzip").Body.Len()
		if strings.HasSuffix(name, ".woff2") {
			fonts += n
		} else {
			text += n
		}
	}
	t.Logf("style, script and icons %d bytes; fonts %d bytes", text, fonts)
	if text >= limit || text+fonts >= limitWithFonts {
		t.Errorf("too heavy: %d (limit %d), with fonts %d (limit %d)", text, limit, text+fonts, limitWithFonts)
	}
}
