package models_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

func TestBrowserName(t *testing.T) {
	const webkit = "AppleWebKit/537.36 (KHTML, like Gecko) "
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                           "Firefox on Windows",
		"Mozilla/5.0 (X11; Linux x86_64) " + webkit + "Chrome/140.0.0.0 Safari/537.36":                                                               "Chrome on Linux",
		"Mozilla/5.0 (X11; Linux x86_64) " + webkit + "HeadlessChrome/140.0.0.0 Safari/537.36":                                                       "Chrome on Linux",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " + webkit + "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":                                 "Edge on macOS",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + webkit + "Chrome/140.0.0.0 Safari/537.36 OPR/120.0.0.0":                                       "Opera on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                      "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1":    "Safari on iPhone",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
		"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15":           "Firefox on iPad",
		"Mozilla/5.0 (Linux; Android 15; SM-S931B) " + webkit + "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":                          "Samsung Internet on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " + webkit + "Chrome/140.0.0.0 Safari/537.36":                                                      "Chrome on ChromeOS",
		"curl/8.14.1": "curl",
		"":            "Unknown browser", "<script>alert(1)</script>": "Unknown browser", "Something for Windows": "Unknown browser on Windows", strings.Repeat("x", 100_000): "Unknown browser",
	} {
		if got := models.BrowserName(agent); got != want {
			t.Errorf("%.90s: %q, want %q", agent, got, want)
		}
	}
}

func TestTimeZones(t *testing.T) {
	zones := models.TimeZones()
	if len(zones) < 400 || !slices.IsSorted(zones) || slices.Contains(zones, "Local") || slices.Contains(zones, "UTC") {
		t.Errorf("%d zones", len(zones))
	}
	for _, name := range zones {
		if _, err := time.LoadLocation(name); err != nil {
			t.Error(err)
		}
		if zone, problem := models.CheckTimeZone(name); zone != name || problem != "" {
			t.Errorf("%s: %q, %q", name, zone, problem)
		}
	}
	for _, utc := range []string{"", "UTC"} {
		if zone, problem := models.CheckTimeZone(utc); zone != "" || problem != "" {
			t.Errorf("%q: %q, %q", utc, zone, problem)
		}
	}
	for _, bad := range []string{"Local", "utc", "Europe", "Europe/Berlin ", "../Europe/Berlin", "Etc/GMT+5"} {
		if zone, problem := models.CheckTimeZone(bad); zone != "" || problem == "" {
			t.Errorf("%q: %q, %q", bad, zone, problem)
		}
	}
}

func TestSignInMethodsHaveWords(t *testing.T) {
	for _, method := range []models.SignInMethod{models.ByPassword, models.ByPasskey, models.ByProvider, models.ByLink} {
		if method.Words() == "" {
			t.Errorf("%s has no words", method)
		}
	}
}
