package static

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// contentTypes is fixed: package mime reads tables of the machine it runs on.
var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml; charset=utf-8",
	".woff2": "font/woff2",
}

// forEver lets browsers keep a file: another content has another name.
const forEver = "public, max-age=31536000, immutable"

// asset is one file as it goes over the wire. It does not change.
type asset struct {
	path        string
	contentType string
	body        []byte
	gzipped     func() []byte // nil if the body is compressed in itself
}

func newAsset(path, contentType string, body []byte) *asset {
	a := &asset{path: path, contentType: contentType, body: body}
	if contentType != contentTypes[".woff2"] {
		a.gzipped = sync.OnceValue(func() []byte { return compress(body) })
	}
	return a
}

// Handler serves the files under the paths that Path returns and nothing else.
// It looks names up in a map and never touches a disk.
func Handler() http.Handler {
	return http.HandlerFunc(serve)
}

func serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if file, ok := findPacked(r.URL.Path); ok {
		file.serve(w, r)
		return
	}
	a, ok := all.byPath[r.URL.Path]
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	body := a.body
	if a.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if AcceptsGzip(r.Header.Values("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			body = a.gzipped()
		}
	}
	h.Set("Cache-Control", forEver)
	h.Set("Content-Type", a.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	// An error here means that the browser went away.
	_, _ = w.Write(body)
}

// AcceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3). A line for
// gzip itself wins over one for "*".
func AcceptsGzip(values []string) bool {
	wildcard := false
	for coding := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, params, _ := strings.Cut(coding, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return positiveWeight(params)
		case "*":
			wildcard = positiveWeight(params)
		}
	}
	return wildcard
}

// positiveWeight reports whether a coding's parameters let it be used: without
// a weight it may, with "q=0" it may not. What cannot be read counts as no.
func positiveWeight(params string) bool {
	key, weight, found := strings.Cut(params, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(key), "q") {
		return strings.TrimSpace(params) == ""
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
	return err == nil && q > 0
}

func compress(body []byte) []byte {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is out of range: it is a constant
	}
	// A bytes.Buffer takes every write.
	_, _ = w.Write(body)
	_ = w.Close()
	return buf.Bytes()
}
