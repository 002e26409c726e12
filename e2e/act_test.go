package e2e

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// menuRole is what Chromium calls a summary whose details share a name.
const menuRole = "DisclosureTriangleGrouped"

// open goes to a path of the program, or to a whole address.
func (p *tab) open(target string) {
	p.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = p.base + target
	}
	p.leave(func() { call(p, page.Navigate, page.NavigateParams{URL: target}) })
}

// back is the browser's Back button.
func (p *tab) back() {
	p.t.Helper()
	p.leave(func() {
		history := call(p, page.GetNavigationHistory, cdp.Empty{})
		before := history.Entries[history.CurrentIndex-1]
		call(p, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: before.ID})
	})
}

// leave does something that loads another page, and waits for that.
func (p *tab) leave(act func()) {
	p.t.Helper()
	before := p.loader()
	act()
	eventually(p.t, func() string {
		if now := p.loader(); now == before || now == "" {
			return "no other page was loaded"
		}
		if state, err := tryEval[string](p, "document.readyState"); err != nil || state != "complete" {
			return "the page does not finish loading: " + state
		}
		return ""
	})
}

func (p *tab) loader() cdp.LoaderID {
	tree, err := try(p, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return ""
	}
	return tree.FrameTree.Frame.LoaderID
}

// click presses something that keeps the page.
func (p place) click(role, name string) {
	p.t.Helper()
	p.find(role, name).tap()
}

// follow presses something that leads to another page.
func (p place) follow(role, name string) {
	p.t.Helper()
	e := p.find(role, name)
	p.leave(e.tap)
}

// dialog presses something that opens a dialog and returns that.
func (p place) dialog(role, name, title string) element {
	p.t.Helper()
	p.click(role, name)
	return p.tab.whole().find("dialog", title)
}

// fill replaces what stands in a field.
func (p place) fill(label, text string) {
	p.t.Helper()
	e := p.find("textbox", label)
	ask[bool](e, "this.focus(); this.select(); return true")
	p.insert(text)
}

// insert puts text where the focus is, as a paste does.
func (p *tab) insert(text string) {
	p.t.Helper()
	call(p, input.InsertText, input.InsertTextParams{Text: text})
}

// choose takes an option of a drop-down list.
func (p place) choose(label, option string) {
	p.t.Helper()
	e := p.find("combobox", label)
	found := ask[bool](e, `const option = [...this.options].find((o) => o.text === `+strconv.Quote(option)+`);
		if (option) { this.value = option.value; this.dispatchEvent(new Event("change", {bubbles: true})); }
		return Boolean(option)`)
	if !found {
		p.t.Fatalf("%s does not offer %q", e.what, option)
	}
}

// sees waits until the page shows a text.
func (p *tab) sees(text string) {
	p.t.Helper()
	eventually(p.t, func() string {
		if shown, err := p.shown(); err != nil || !strings.Contains(shown, text) {
			return fmt.Sprintf("the page does not show %q (%v) but\n%s", text, err, shown)
		}
		return ""
	})
}

// hides fails where the page shows a text, or holds it in its HTML.
func (p *tab) hides(text string) {
	p.t.Helper()
	if html := eval[string](p, "document.documentElement.outerHTML"); strings.Contains(html, text) {
		p.t.Errorf("the page holds %q", text)
	}
}

func (p *tab) shown() (string, error) { return tryEval[string](p, "document.body.innerText") }

// at fails unless the page is the one with this path and h1.
func (p *tab) at(path, heading string) {
	p.t.Helper()
	eventually(p.t, func() string {
		got, err := tryEval[[]string](p, `[location.pathname, document.querySelector("h1")?.innerText ?? ""]`)
		if err != nil || len(got) != 2 || got[0] != path || got[1] != heading {
			return fmt.Sprintf("on the page %q, want %q %q (%v)", got, path, heading, err)
		}
		return ""
	})
}

func (p *tab) path() string { return eval[string](p, "location.pathname") }

// announces waits until something with role status says text.
func (p *tab) announces(text string) {
	p.t.Helper()
	eventually(p.t, func() string {
		found, err := p.whole().visible("status", "")
		for _, e := range found {
			if said, err := run1[string](e, "return this.textContent"); err == nil && strings.Contains(said, text) {
				return ""
			}
		}
		return fmt.Sprintf("nothing with role status says %q (%v)", text, err)
	})
}

// press sends keys as a keyboard does: the character comes with its key. In an
// event of its own it could reach what the key has brought the focus to.
func (p *tab) press(keys string, options ...chromedp.KeyOption) {
	p.t.Helper()
	for _, r := range keys {
		events := kb.Encode(r)
		down, up := events[0], events[len(events)-1]
		if len(events) == 3 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		for _, event := range []*input.DispatchKeyEventParams{down, up} {
			for _, option := range options {
				option(event)
			}
			call(p, input.DispatchKeyEvent, *event)
		}
	}
}

// focus is the element that has the focus, the body where none has.
func (p *tab) focus() element {
	p.t.Helper()
	object := call(p, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.activeElement"})
	node := call(p, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: object.Result.ObjectID})
	return element{place{p, node.Node.BackendNodeID}, "focus on " + strings.ToLower(node.Node.NodeName)}
}
