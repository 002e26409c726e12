package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// place is a part of a page in which things are looked for, or the whole page.
type place struct {
	*tab
	root cdp.BackendNodeID
}

// element is something on a page, found by its role and its accessible name.
type element struct {
	place
	what string
}

func (p *tab) whole() place { return place{tab: p} }

// visible lists what the accessibility tree holds with this role and name. An
// empty name stands for any.
func (p place) visible(role, name string) ([]element, error) {
	params := accessibility.QueryAXTreeParams{Role: role, AccessibleName: name, BackendNodeID: p.root}
	if p.root == 0 {
		document, err := try(p.tab, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"})
		if err != nil {
			return nil, err
		}
		params.ObjectID = document.Result.ObjectID
	}
	found, err := try(p.tab, accessibility.QueryAXTree, params)
	if err != nil {
		return nil, err
	}
	var elements []element
	for _, node := range found.Nodes {
		if !node.Ignored && node.BackendDOMNodeID != 0 && node.BackendDOMNodeID != p.root {
			elements = append(elements, element{place{p.tab, node.BackendDOMNodeID}, role + " " + textOf(node.Name)})
		}
	}
	return elements, nil
}

func textOf(value *accessibility.Value) string {
	var text string
	if value != nil {
		_ = json.Unmarshal(value.Value, &text) // what is no text is no name
	}
	return text
}

// find waits until exactly one element has this role and name.
func (p place) find(role, name string) element {
	p.t.Helper()
	var found []element
	eventually(p.t, func() string {
		var err error
		if found, err = p.visible(role, name); err != nil {
			return err.Error()
		}
		if len(found) != 1 {
			return fmt.Sprintf("%d elements are %s %q, want 1 on", len(found), role, name)
		}
		return ""
	}, p.outline)
	return found[0]
}

// first waits until there is such an element and takes the first.
func (p place) first(role, name string) element {
	p.t.Helper()
	var found []element
	eventually(p.t, func() string {
		found, _ = p.visible(role, name)
		if len(found) == 0 {
			return fmt.Sprintf("nothing is %s %q on", role, name)
		}
		return ""
	}, p.outline)
	return found[0]
}

// lacks waits until no element has this role and name.
func (p place) lacks(role, name string) {
	p.t.Helper()
	eventually(p.t, func() string {
		if found, err := p.visible(role, name); err != nil || len(found) > 0 {
			return fmt.Sprintf("%d elements are %s %q, want none (%v)", len(found), role, name, err)
		}
		return ""
	})
}

// outline is the page in words, for the message of a failure.
func (p place) outline() string {
	address, _ := tryEval[string](p.tab, "location.href")
	tree, err := try(p.tab, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		return err.Error()
	}
	lines := []string{address}
	for _, node := range tree.Nodes {
		role, name := textOf(node.Role), textOf(node.Name)
		if !node.Ignored && name != "" && role != "StaticText" && role != "InlineTextBox" {
			lines = append(lines, role+" "+strconv.Quote(name))
		}
	}
	return strings.Join(lines, "\n")
}

// run1 calls a function of the page on the element.
func run1[T any](e element, function string) (T, error) {
	var zero T
	node, err := try(e.tab, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: e.root})
	if err != nil {
		return zero, err
	}
	result, err := try(e.tab, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: "function() {" + function + "}", ObjectID: node.Object.ObjectID, ReturnByValue: new(true), AwaitPromise: new(true),
	})
	if err != nil {
		return zero, err
	}
	if result.ExceptionDetails != nil {
		return zero, &chromedp.ExceptionError{ExceptionDetails: result.ExceptionDetails}
	}
	if len(result.Result.Value) == 0 {
		return zero, nil
	}
	err = json.Unmarshal(result.Result.Value, &zero)
	return zero, err
}

func ask[T any](e element, function string) T {
	e.t.Helper()
	value, err := run1[T](e, function)
	if err != nil {
		e.t.Fatalf("%s: %v", e.what, err)
	}
	return value
}

func (e element) text() string { return ask[string](e, "return this.innerText") }

func (e element) value() string { return ask[string](e, "return this.value") }

func (e element) focused() bool { return ask[bool](e, "return document.activeElement === this") }

// target is where the mouse goes for an element; a hidden radio button has its label.
const target = `const at = (this.closest("label") ?? this);
	at.scrollIntoView({block: "center", behavior: "instant"});
	const r = [...at.getClientRects()].find((r) => r.width > 0) ?? at.getBoundingClientRect();
	const x = r.x + r.width / 2, y = r.y + r.height / 2, hit = document.elementFromPoint(x, y);
	return [x, y, hit !== null && (at.contains(hit) || hit.contains(at)) ? 1 : 0]`

// tap presses the mouse on the middle of the element, where nothing may cover it.
func (e element) tap() {
	e.t.Helper()
	var at []float64
	eventually(e.t, func() string {
		var err error
		if at, err = run1[[]float64](e, target); err != nil || len(at) != 3 || at[2] == 0 {
			return fmt.Sprintf("%s cannot be clicked at %v: %v", e.what, at, err)
		}
		return ""
	})
	e.clickAt(at[0], at[1])
}

func (p *tab) clickAt(x, y float64) {
	p.t.Helper()
	call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: x, Y: y})
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Button: input.MouseButtonLeft, ClickCount: 1})
	}
}
