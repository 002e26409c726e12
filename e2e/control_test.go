package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestFaultsAreSeen spoils a page on purpose: what the other tests rely on to
// find faults finds these.
func TestFaultsAreSeen(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/strict" {
			w.Header().Set("Content-Security-Policy", "default-src 'none'")
		}
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang="en"><link rel="icon" href="data:,"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Spoilt</title><style>p { color: #ccc; width: 2000px }</style>
			<p>pale and wide</p><button></button><a href="/">x</a><script>alert(1)</script><script>throw new Error("thrown")</script><script>console.error("said")</script><img src="/strict" alt="">`))
	}))
	t.Cleanup(site.Close)
	p := openTab(t, site.URL)

	p.open("/")
	wantAll(t, p.takeFaults(), "opened a dialog: 1", "thrown", "said")
	source, err := axeSource()
	must(t, err)
	eval[bool](p, source)
	wantAll(t, p.axe(""), "color-contrast", "button-name", "landmark")
	p.resize(390)
	wantAll(t, p.layoutProblems(390), "small target", "scrolls sideways")

	p.open("/strict")
	wantAll(t, p.takeFaults(), "script-src", "style-src", "policy: ")
	p.open("/")
	p.takeFaults()
}

func wantAll(t *testing.T, found []string, wanted ...string) {
	t.Helper()
	all := strings.Join(found, "\n")
	for _, w := range wanted {
		if !strings.Contains(all, w) {
			t.Errorf("%q was not found, only\n%s", w, all)
		}
	}
}
