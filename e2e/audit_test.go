package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
)

// axeSource is axe-core, which runs beside the page's own policy.
var axeSource = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile("testdata/axe.min.js")
	return string(source) + "; true", err
})

// look checks the page at every width. scope narrows axe to one part of the
// page, as a selector; empty for all of it.
func (p *tab) look(name, scope string) {
	p.t.Helper()
	source, err := axeSource()
	if err != nil {
		p.t.Fatal(err)
	}
	eval[bool](p, source)
	widths := map[string][]int64{}
	for _, width := range []int64{1440, 390, 360, 320} {
		p.resize(width)
		problems := p.layoutProblems(width)
		if width != 320 {
			problems = append(problems, p.axe(scope)...)
			p.shoot(fmt.Sprintf("%s-%d", name, width))
		}
		for _, problem := range problems {
			widths[problem] = append(widths[problem], width)
		}
	}
	for problem, at := range widths {
		p.t.Errorf("%s at %v: %s", name, at, problem)
	}
	p.resize(1440)
	for _, fault := range p.takeFaults() {
		p.t.Errorf("%s: %s", name, fault)
	}
}

// resize waits until the page has its new width and is drawn.
func (p *tab) resize(width int64) {
	p.t.Helper()
	p.size(width)
	eventually(p.t, func() string {
		got, err := tryEval[int64](p, `document.fonts.ready.then(() => new Promise((done) =>
			requestAnimationFrame(() => requestAnimationFrame(() => done(document.documentElement.clientWidth)))))`)
		if err != nil || got != width {
			return fmt.Sprintf("the page is %d pixels wide (%v), want %d", got, err, width)
		}
		return ""
	})
}

// axe returns what axe-core finds wrong.
func (p *tab) axe(scope string) []string {
	p.t.Helper()
	return eval[[]string](p, fmt.Sprintf(`axe.run(%q ? document.querySelector(%q) : document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"],
	}).then((r) => r.violations.map((v) => v.id + " (" + v.impact + "): " + v.nodes.slice(0, 3).map((n) =>
		n.target.join(" ") + ": " + n.failureSummary.split("\n").slice(1, 3).join("; ")).join(" | ")))`, scope, scope))
}

// layoutProblems returns what sticks out at the side and what is too small to hit.
func (p *tab) layoutProblems(width int64) []string {
	p.t.Helper()
	problems := eval[[]string](p, `[...document.querySelectorAll("a, button, summary, input:not(.sr-only, [type=hidden]), select")]
		.filter((e) => e.checkVisibility() && !e.closest("p, .hint, .skip"))
		.map((e) => [e, (e.closest("label") ?? e).getBoundingClientRect()])
		.filter(([, r]) => r.width && (r.width < 24 || r.height < 24))
		.map(([e, r]) => "small target " + e.tagName + " " + e.textContent.trim().slice(0, 30) + " " + (r.width | 0) + "x" + (r.height | 0))`)
	if wide := eval[int64](p, "document.documentElement.scrollWidth"); wide > width {
		culprit := eval[string](p, `[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth)
			.map((e) => e.outerHTML.slice(0, 80)).join(" | ").slice(0, 400)`)
		problems = append(problems, fmt.Sprintf("scrolls sideways, %d pixels wide: %s", wide, culprit))
	}
	return problems
}

// shoot writes a picture of the whole page for people, where LATCHKEY_SHOTS
// names a folder.
func (p *tab) shoot(name string) {
	p.t.Helper()
	dir := os.Getenv("LATCHKEY_SHOTS")
	if dir == "" {
		return
	}
	size := call(p, page.GetLayoutMetrics, cdp.Empty{}).CSSContentSize
	shot := call(p, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: new(true), Clip: &page.Viewport{Width: size.Width, Height: size.Height, Scale: 1},
	})
	parts := strings.Split(p.t.Name(), "/")
	file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+"-"+parts[len(parts)-1]+".png")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, shot.Data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
