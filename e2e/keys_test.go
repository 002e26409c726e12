package e2e

import (
	"strings"

	"github.com/chromedp/chromedp/kb"
)

// ring tells whether what has the focus shows it: an outline of 2 pixels or
// more around it or, for a hidden radio button, around its label.
const ring = `(() => {
	const e = document.activeElement;
	if (e === document.body) return "";
	const shows = (x) => x && getComputedStyle(x).outlineStyle !== "none" && parseFloat(getComputedStyle(x).outlineWidth) >= 2;
	return shows(e) || shows(e.closest("label")) ? "" : e.outerHTML.slice(0, 120);
})()`

// tabTo presses Tab until the element has the focus, and wants a ring at each stop.
func (p *tab) tabTo(role, name string) {
	p.t.Helper()
	wanted := p.whole().find(role, name)
	for range 100 {
		p.press(kb.Tab)
		if bare := eval[string](p, ring); bare != "" {
			p.t.Errorf("no ring on %s", bare)
		}
		if p.focus().root == wanted.root {
			return
		}
	}
	p.t.Fatalf("Tab does not come to %s %q", role, name)
}

// wantFocus waits until the element has the focus.
func (p *tab) wantFocus(role, name string) {
	p.t.Helper()
	wanted := p.whole().find(role, name)
	eventually(p.t, func() string {
		if got := p.focus(); got.root != wanted.root {
			html, _ := run1[string](got, "return this.outerHTML.slice(0, 120)")
			return "the focus is on " + html + ", want " + role + " " + name
		}
		return ""
	})
}

// openByKey opens a dialog by its link.
func (p *tab) openByKey(link, title string) element {
	p.t.Helper()
	if !p.focusOn("link", link) {
		p.tabTo("link", link)
	}
	p.press(kb.Enter)
	return p.whole().find("dialog", title)
}

func (p *tab) focusOn(role, name string) bool {
	found, err := p.whole().visible(role, name)
	return err == nil && len(found) == 1 && found[0].root == p.focus().root
}

// wantNoDialog waits until the dialog is closed.
func (p *tab) wantNoDialog() {
	p.t.Helper()
	eventually(p.t, func() string {
		found, err := p.whole().visible("dialog", "")
		if err != nil || len(found) > 0 {
			return "a dialog is still open"
		}
		return ""
	})
}

// stops walks the page with Tab and returns how many stops it has.
func (p *tab) stops() int {
	p.t.Helper()
	eval[bool](p, "document.activeElement.blur(); true")
	seen := map[string]bool{}
	for range 200 {
		p.press(kb.Tab)
		at := eval[string](p, `document.activeElement === document.body ? "" : document.activeElement.dataset.stop ??= String(Math.random())`)
		if seen[at] {
			break
		}
		if at == "" {
			continue // past the last one it begins again
		}
		seen[at] = true
		if bare := eval[string](p, ring); bare != "" {
			p.t.Errorf("no ring on %s", strings.TrimSpace(bare))
		}
	}
	return len(seen)
}
