package models

import "strings"

// word is what to look for in a user agent and what it stands for.
type word struct{ sign, name string }

// The order matters: most browsers also claim to be those further down.
var (
	browserWords = []word{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chromium"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	}
	systemWords = []word{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Macintosh", "macOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	}
)

// BrowserName says in words what calls itself userAgent: "Firefox on Windows". It uses
// no words but its own, whatever the text holds.
func BrowserName(userAgent string) string {
	browser, system := wordIn(userAgent, browserWords), wordIn(userAgent, systemWords)
	if browser == "" {
		browser = "Unknown browser"
	}
	if system == "" {
		return browser
	}
	return browser + " on " + system
}

func wordIn(text string, words []word) string {
	for _, w := range words {
		if strings.Contains(text, w.sign) {
			return w.name
		}
	}
	return ""
}
