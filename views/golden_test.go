package views

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/a-h/templ"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// hashes in the names of static files change with their content; pages do not.
var hashes = regexp.MustCompile(`(/static/[\w-]+)\.[0-9a-f]{12}\.`)

// TestGolden renders every page in every state and compares it with
// testdata/<name>.html. After a wanted change: go test ./views -update.
func TestGolden(t *testing.T) {
	for name, component := range goldens() {
		t.Run(name, func(t *testing.T) {
			got := render(t, component)
			path := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs. Look at it with git diff after: go test ./views -update", path)
			}
		})
	}
}

// TestGoldenFiles finds golden files of pages that are no more.
func TestGoldenFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.html")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(goldens()) {
		t.Errorf("%d files in testdata, %d pages", len(files), len(goldens()))
	}
}

func render(t *testing.T, component templ.Component) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := component.Render(context.Background(), &buf); err != nil {
		t.Fatal(err)
	}
	return append(hashes.ReplaceAll(buf.Bytes(), []byte("$1.")), '\n')
}
