package e2e

import (
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// clipboards is held by whoever copies: all pages have one clipboard.
var clipboards sync.Mutex

// notepad is a page elsewhere that may read the clipboard. Latchkey's own pages
// may not: their policy forbids it.
func (p *tab) notepad() *tab {
	p.t.Helper()
	if p.paper != nil {
		return p.paper
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!DOCTYPE html><html lang="en"><link rel="icon" href="data:,"><title>Notepad</title>`))
	}))
	p.t.Cleanup(site.Close)
	p.paper = p.beside()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(p.ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted,
			Origin: site.URL, BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	p.paper.open(site.URL)
	return p.paper
}

// clipboard reads what was copied.
func (p *tab) clipboard() string {
	p.t.Helper()
	return eval[string](p.notepad(), "navigator.clipboard.readText()")
}

// copied presses a Copy button and returns what the clipboard holds once the
// page says that it is done.
func (p place) copied(name, done string) string {
	p.t.Helper()
	clipboards.Lock()
	defer clipboards.Unlock()
	eval[bool](p.notepad(), `navigator.clipboard.writeText("nothing").then(() => true)`)
	p.click("button", name)
	p.announces(done)
	// What is said may be of the copy before.
	var text string
	eventually(p.t, func() string {
		if text = p.clipboard(); text == "nothing" {
			return "nothing was copied"
		}
		return ""
	})
	return text
}
