package harness

import (
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
)

// NewClient is for one person without a browser: it has cookies and connections of its own.
func NewClient(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport, Timeout: Patience}
}

// PathOf finds on a page the path that begins with prefix and that the first form for an
// action posts to, without the action.
func PathOf(page, prefix, action string) (path string, ok bool) {
	before, _, ok := strings.Cut(page, action+`"`)
	at := strings.LastIndex(before, prefix)
	if !ok || at < 0 {
		return "", false
	}
	return before[at:], true
}
