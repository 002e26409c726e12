package views

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// TestPagesAreSound holds every page in every state to the rules that no
// golden file shows at a glance.
func TestPagesAreSound(t *testing.T) {
	for name, component := range goldens() {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			if err := component.Render(context.Background(), &buf); err != nil {
				t.Fatal(err)
			}
			doc, err := html.Parse(&buf)
			if err != nil {
				t.Fatal(err)
			}
			p := soundPage{T: t, ids: map[string]bool{}}
			for n := range doc.Descendants() {
				if n.Type == html.ElementNode {
					p.element(n)
				}
			}
			p.whole(doc)
		})
	}
}

type soundPage struct {
	*testing.T
	ids    map[string]bool
	refs   []string
	h1     int
	titles int
}

func (p *soundPage) element(n *html.Node) {
	if id := attr(n, "id"); id != "" {
		if p.ids[id] {
			p.Errorf("id %q twice", id)
		}
		p.ids[id] = true
	}
	p.refs = append(p.refs, strings.Fields(attr(n, "aria-describedby")+" "+attr(n, "aria-labelledby")+" "+attr(n, "for"))...)
	p.attributes(n)
	switch n.DataAtom {
	case atom.H1:
		p.h1++
	case atom.Title:
		if n.Namespace == "" { // those of an SVG name its parts
			p.titles++
		}
	case atom.Style:
		p.Error("a style element")
	case atom.Script:
		if attr(n, "src") == "" || n.FirstChild != nil {
			p.Error("an inline script")
		}
	case atom.Svg, atom.Img:
		if attr(n, "aria-hidden") != "true" && attr(n, "aria-label") == "" {
			p.Error("a picture that is neither hidden nor named")
		}
	case atom.Input, atom.Select, atom.Textarea:
		if attr(n, "type") != "hidden" && !p.labelled(n) {
			p.Errorf("no label for %s %q", n.Data, attr(n, "name"))
		}
	case atom.Button, atom.A, atom.Summary:
		if strings.TrimSpace(text(n)) == "" {
			p.Errorf("a %s without a name", n.Data)
		}
	case atom.Form:
		p.form(n)
	}
}

func (p *soundPage) attributes(n *html.Node) {
	for _, a := range n.Attr {
		value := strings.ToLower(strings.TrimSpace(a.Val))
		switch {
		case a.Key == "style", strings.HasPrefix(a.Key, "on"):
			p.Errorf("attribute %s on %s", a.Key, n.Data)
		case slices.Contains([]string{"href", "src", "action"}, a.Key) && (strings.HasPrefix(value, "data:") || strings.HasPrefix(value, "javascript:")):
			p.Errorf("%s=%q", a.Key, a.Val)
		}
	}
}

// form holds forms to "a change is a POST to ourselves, values stay out of addresses".
func (p *soundPage) form(n *html.Node) {
	if !strings.HasPrefix(attr(n, "action"), "/") {
		p.Errorf("form to %q", attr(n, "action"))
	}
	if method := attr(n, "method"); method != "post" && method != "get" {
		p.Errorf("form with method %q", method)
	}
	for d := range n.Descendants() {
		if d.DataAtom == atom.Input && attr(d, "type") == "password" && (attr(n, "method") != "post" || attr(d, "value") != "") {
			p.Error("a password in an address or in the page")
		}
	}
}

func (p *soundPage) labelled(control *html.Node) bool {
	for up := control.Parent; up != nil; up = up.Parent {
		if up.DataAtom == atom.Label {
			return true
		}
		for d := range up.Descendants() {
			if d.DataAtom == atom.Label && attr(d, "for") == attr(control, "id") && strings.TrimSpace(text(d)) != "" {
				return true
			}
		}
	}
	return false
}

func (p *soundPage) whole(doc *html.Node) {
	if p.h1 != 1 || p.titles != 1 {
		p.Errorf("%d h1 and %d title, want one each", p.h1, p.titles)
	}
	for _, id := range p.refs {
		if !p.ids[id] {
			p.Errorf("a reference to id %q, which is not there", id)
		}
	}
	words := strings.Join(strings.Fields(text(doc)), " ")
	for _, odd := range []string{" . ", " , ", " ? ", "%!"} {
		if strings.Contains(words, odd) {
			p.Errorf("text holds %q", odd)
		}
	}
}

// TestValuesStayOut finds the example value in the pages that reveal it, and
// in no other.
func TestValuesStayOut(t *testing.T) {
	revealing := []string{"application-secret-shown", "application-token-shown", "tokens-shown", "tokens-temporary-shown", "team-link-shown", "admin-link-shown", "admin-resource-shown", "warnings-secret-shown", "warnings-calendar-made"}
	for name, component := range goldens() {
		if holds := bytes.Contains(render(t, component), []byte(exampleValue)); holds != slices.Contains(revealing, name) {
			t.Errorf("%s: holds the value: %v", name, holds)
		}
	}
}

// TestViewersGetNoButtons walks the pages of viewers for what only others may do.
func TestViewersGetNoButtons(t *testing.T) {
	all := goldens()
	for _, name := range []string{"applications-viewer", "application-viewer", "application-keys-viewer", "application-no-credentials", "tokens-viewer", "tokens-viewer-empty", "applications-empty-viewer", "team-viewer", "hygiene-viewer", "warnings-viewer", "built-in-viewer", "applications-built-in-only-viewer", "usage", "application-capped-out"} {
		page := string(render(t, all[name]))
		for _, not := range []string{"data-reveal", "data-copy-secret", "/revoke", "/delete", "/edit", "/disable", "/enable", "/secret", "/keys", "/new", "Generate New Token", "/regenerate", "/keep", "/takeover", "/webhook", "/temporary"} {
			if strings.Contains(page, not) {
				t.Errorf("%s holds %q", name, not)
			}
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.DataAtom != atom.Template {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}
