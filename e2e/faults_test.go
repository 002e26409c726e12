package e2e

import (
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// listen must not wait for the browser: it runs where its messages are read.
func (p *tab) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		p.logged(e.Entry)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		p.faults = append(p.faults, "exception: "+text)
	case *runtime.EventConsoleAPICalled:
		text := string(e.Type)
		for _, arg := range e.Args {
			text += " " + string(arg.Value)
		}
		p.faults = append(p.faults, "console: "+text)
	case *page.EventJavascriptDialogOpening:
		p.faults = append(p.faults, "a script opened a dialog: "+e.Message)
		go try(p, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}) //nolint:errcheck // the fault is noted
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e)
		p.kinds[e.RequestID] = string(e.Type)
	case *network.EventLoadingFinished:
		if kind, counted := p.kinds[e.RequestID]; counted {
			p.sizes[kind] += e.EncodedDataLength
		}
	}
}

// logged takes note of what the browser itself says. Statuses that the test
// asked for are no faults.
func (p *tab) logged(entry *log.Entry) {
	if entry.Level != log.EntryLevelError && entry.Level != log.EntryLevelWarning {
		return
	}
	for _, status := range p.expected {
		if strings.HasPrefix(entry.Text, fmt.Sprintf("Failed to load resource: the server responded with a status of %d ", status)) {
			return
		}
	}
	p.faults = append(p.faults, fmt.Sprintf("%s %s: %s %s", entry.Source, entry.Level, entry.Text, entry.URL))
}

// expect names statuses of 400 and more that the test provokes.
func (p *tab) expect(statuses ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = append(p.expected, statuses...)
}

func (p *tab) takeFaults() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	faults := p.faults
	p.faults = nil
	return faults
}

// posts counts the forms that were sent to an address.
func (p *tab) posts(target string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, r := range p.requests {
		if r.Request.Method == "POST" && r.Request.URL == p.base+target {
			n++
		}
	}
	return n
}
