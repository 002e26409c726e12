package models

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the longest name of a team, application, token or person, in characters.
const MaxName = 64

// CheckName trims a name and checks it: 1 to MaxName characters of valid UTF-8,
// something visible among them, no control and no bidirectional override
// characters. The second result is the sentence to show where it is not.
func CheckName(raw string) (name, problem string) {
	name = strings.TrimSpace(raw)
	switch {
	case !utf8.ValidString(name):
		return "", "Use plain text: this holds bytes that are not characters."
	case strings.IndexFunc(name, forbiddenInName) >= 0:
		return "", "Leave out control and text-direction characters."
	case strings.IndexFunc(name, visible) < 0:
		return "", "Enter a name."
	case utf8.RuneCountInString(name) > MaxName:
		return "", "Use at most 64 characters."
	}
	return name, ""
}

// CheckOptionalName is CheckName for a name that may be left empty.
func CheckOptionalName(raw string) (name, problem string) {
	if strings.TrimSpace(raw) == "" {
		return "", ""
	}
	return CheckName(raw)
}

func forbiddenInName(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 ||
		r == 0x2028 || r == 0x2029
}

func visible(r rune) bool {
	const blankBraille = 0x2800
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != blankBraille && !ignorable(r)
}

// ignorable runes leave no mark of their own: joiners, direction marks, selectors.
func ignorable(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// FoldName is the form under which names are compared: equal whatever the case,
// in any script, and whatever stands in them that cannot be seen. Each rune
// becomes the smallest of its case-folding orbit.
func FoldName(name string) string {
	return strings.Map(func(r rune) rune {
		if ignorable(r) {
			return -1
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}
