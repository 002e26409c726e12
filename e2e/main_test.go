// Package e2e tests Latchkey from outside: the built program, real clients and
// a real Chromium. Nothing is faked.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/latchkey/latchkey/e2e/harness"
)

const patience = harness.Patience

var (
	// binary is the program under test.
	binary string
	// chromium is the browser that all tests share. Each page has a profile of its own.
	chromium    context.Context
	chromiumErr error
)

func TestMain(m *testing.M) {
	harness.Main(m, func(_, path string) (func(), error) {
		binary = path
		return startChromium(), nil
	})
}

// startChromium starts the browser. A missing one fails the tests that open a page.
func startChromium() (stop func()) {
	path, err := findChromium()
	if err != nil {
		chromiumErr = err
		return func() {}
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.WindowSize(1440, 900)}
	for _, flag := range []string{
		"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars", "mute-audio",
		// A tab in the background works as fast as one in front.
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, release := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	chromium, chromiumErr = ctx, chromedp.Do(ctx)
	if chromiumErr != nil {
		chromiumErr = fmt.Errorf("starting %s: %w", path, chromiumErr)
	}
	return func() {
		cancel()
		release()
	}
}

// findChromium looks where scripts/install-test-tools.sh looks.
func findChromium() (string, error) {
	if path := os.Getenv("LATCHKEY_CHROMIUM"); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fmt.Errorf("LATCHKEY_CHROMIUM is %s, which cannot be run: correct it or unset it", path)
		}
		return found, nil
	}
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("found none of %s in PATH: install Chromium (Debian: apt-get install chromium) or set LATCHKEY_CHROMIUM to the path of Chromium or Chrome",
		strings.Join(names, ", "))
}

// eventually is what most tests wait with.
var eventually = harness.Eventually
