package e2e

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is one page of the browser. Whatever its console complains about fails
// the test.
type tab struct {
	t    testing.TB
	base string
	ctx  context.Context

	mu       sync.Mutex
	faults   []string
	expected []int
	requests []*network.EventRequestWillBeSent
	sizes    map[string]float64 // bytes received, by kind of resource
	kinds    map[network.RequestID]string
	paper    *tab
}

// openTab opens a page in a profile of its own, 1440 pixels wide.
func openTab(t testing.TB, base string) *tab {
	t.Helper()
	if chromiumErr != nil {
		t.Fatal(chromiumErr)
	}
	p := newTab(chromium, t, base, chromedp.WithNewBrowserContext())
	p.begin()
	return p
}

// beside opens a second page in the same profile.
func (p *tab) beside() *tab {
	p.t.Helper()
	other := newTab(p.ctx, p.t, p.base)
	other.begin()
	return other
}

func newTab(parent context.Context, t testing.TB, base string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	p := &tab{t: t, base: base, sizes: map[string]float64{}, kinds: map[network.RequestID]string{}}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(p.listen))...)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	p.ctx = ctx
	return p
}

// begin listens to the page, to the end of the test.
func (p *tab) begin() {
	p.t.Helper()
	p.t.Cleanup(func() {
		eval[int](p, "1") // all events before this one have come
		if faults := p.takeFaults(); len(faults) > 0 {
			p.t.Errorf("the browser complains:\n%s", strings.Join(faults, "\n"))
		}
	})
	call(p, log.Enable, cdp.Empty{})
	call(p, network.Enable, network.EnableParams{})
	call(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `addEventListener("securitypolicyviolation", (e) => console.error("policy: " + e.violatedDirective + " " + e.blockedURI))`,
	})
	p.size(1440)
}

// call runs a command of the browser's protocol.
func call[P, R any](p *tab, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	result, err := try(p, command, params)
	if err != nil {
		p.t.Fatal(err)
	}
	return result
}

func try[P, R any](p *tab, command cdp.Command[P, R], params P) (R, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Call(ctx, command, params)
}

// eval runs an expression in the page and returns its value, awaited.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	value, err := tryEval[T](p, expression)
	if err != nil {
		p.t.Fatalf("%.200s: %v", expression, err)
	}
	return value
}

func tryEval[T any](p *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, func(params *runtime.EvaluateParams) {
		params.AwaitPromise, params.UserGesture = new(true), new(true)
	}))
}

// size sets the width of the window; below 500 pixels it is a phone.
func (p *tab) size(width int64) {
	p.t.Helper()
	height, phone := int64(900), width < 500
	if phone {
		height = 844
	}
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: phone})
	call(p, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: phone})
}

// scheme makes the system light or dark.
func (p *tab) scheme(scheme string) {
	p.t.Helper()
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// become gives the page the session of c.
func (p *tab) become(c *client) {
	p.t.Helper()
	base, err := url.Parse(p.base)
	if err != nil {
		p.t.Fatal(err)
	}
	call(p, network.ClearBrowserCookies, cdp.Empty{})
	for _, cookie := range c.http.Jar.Cookies(base) {
		call(p, network.SetCookie, network.SetCookieParams{
			Name: cookie.Name, Value: cookie.Value, URL: p.base, HTTPOnly: new(true), SameSite: network.CookieSameSiteLax,
		})
	}
}
