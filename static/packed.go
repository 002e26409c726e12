package static

import (
	"compress/gzip"
	"crypto/sha256"
	_ "embed" // the packed files
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// The GraphQL editor is larger than all other files together and needed on one page. It is
// embedded compressed, as strings, which stay in the binary: nothing of it is read, hashed
// or copied before somebody opens that page.
var (
	//go:embed dist/graphiql.js.gz
	graphiqlScript string
	//go:embed dist/graphiql.css.gz
	graphiqlStyle string
)

// packed is a file that is kept compressed.
type packed struct {
	name, contentType string
	gzipped           string
}

var packedFiles = []packed{
	{"graphiql.js", contentTypes[".js"], graphiqlScript},
	{"graphiql.css", contentTypes[".css"], graphiqlStyle},
}

// packedPaths are their URL paths, by name and the other way round.
var packedPaths = sync.OnceValue(func() (paths struct {
	byName map[string]string
	byPath map[string]packed
},
) {
	paths.byName, paths.byPath = map[string]string{}, map[string]packed{}
	for _, file := range packedFiles {
		sum := sha256.New()
		_, _ = io.WriteString(sum, file.gzipped)
		ext := path.Ext(file.name)
		at := Prefix + strings.TrimSuffix(file.name, ext) + "." + hex.EncodeToString(sum.Sum(nil))[:hashLength] + ext
		paths.byName[file.name], paths.byPath[at] = at, file
	}
	return paths
})

// findPacked does not look unless the path can be one of theirs.
func findPacked(at string) (packed, bool) {
	if !strings.HasPrefix(at, Prefix+"graphiql.") {
		return packed{}, false
	}
	file, ok := packedPaths().byPath[at]
	return file, ok
}

func (f packed) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", forEver)
	h.Set("Content-Type", f.contentType)
	if AcceptsGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(f.gzipped)))
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, f.gzipped)
		}
		return
	}
	if r.Method == http.MethodHead {
		return
	}
	plain, err := gzip.NewReader(strings.NewReader(f.gzipped))
	if err != nil {
		panic(err) // the file was made by make graphiql and is tested
	}
	_, _ = io.Copy(w, plain) //nolint:gosec // the file is ours
}
