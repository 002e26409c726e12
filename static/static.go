// Package static holds the files the browser loads: style, script, icons and
// fonts. Each is served under a name that contains a hash of its content, so
// that a browser may keep it for ever and an upgrade is seen at once.
//
// The bundles in dist/ are made from css/ and js/ by "make generate".
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// Prefix is the path under which Handler serves the files.
const Prefix = "/static/"

// hashLength is in hex digits: 48 bits, ample to tell two releases apart.
const hashLength = 12

//go:embed dist/*.css dist/*.js icons/*.svg fonts/*.woff2
var files embed.FS

// all is filled once at start and only read afterwards. Hashing the files
// takes well under a millisecond; compressing waits for the first request.
var all = load(files)

// cssURL matches the relative references that the CSS bundler leaves in place.
var cssURL = regexp.MustCompile(`url\("?((?:fonts/)?[\w-]+\.\w+)"?\)`)

// set finds an asset by the name in the source tree and by the URL path.
type set struct {
	byName map[string]*asset
	byPath map[string]*asset
}

// Path returns the URL path of the file with the given name, such as
// "latchkey.css" or "icons.svg". It panics if there is no such file.
func Path(name string) string {
	if strings.HasPrefix(name, "graphiql.") {
		if at, ok := packedPaths().byName[name]; ok {
			return at
		}
	}
	return all.path(name)
}

func (s set) path(name string) string {
	a, ok := s.byName[name]
	if !ok {
		panic(fmt.Sprintf("static: no file %q", name))
	}
	return a.path
}

// load adds the style sheets last: they name the other files by their hashed
// paths, and those must be part of what is hashed.
func load(fsys fs.FS) set {
	s := set{byName: map[string]*asset{}, byPath: map[string]*asset{}}
	for _, pattern := range []string{"fonts/*.woff2", "icons/*.svg", "dist/*.js", "dist/*.css"} {
		names, err := fs.Glob(fsys, pattern)
		if err != nil {
			panic(err)
		}
		for _, name := range names {
			body, err := fs.ReadFile(fsys, name)
			if err != nil {
				panic(err)
			}
			s.add(path.Base(name), body)
		}
	}
	return s
}

func (s set) add(name string, body []byte) {
	ext := path.Ext(name)
	if ext == ".css" {
		body = cssURL.ReplaceAllFunc(body, func(ref []byte) []byte {
			target := path.Base(string(cssURL.FindSubmatch(ref)[1]))
			return []byte("url(" + s.path(target) + ")")
		})
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])[:hashLength]
	a := newAsset(Prefix+strings.TrimSuffix(name, ext)+"."+hash+ext, contentTypes[ext], body)
	s.byName[name] = a
	s.byPath[a.path] = a
}
