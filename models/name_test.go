package models_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/latchkey/latchkey/models"
)

const (
	enterName   = "Enter a name."
	tooLong     = "Use at most 64 characters."
	notText     = "Use plain text: this holds bytes that are not characters."
	forbidden   = "Leave out control and text-direction characters."
	rtlOverride = "\u202e"
)

func TestCheckName(t *testing.T) {
	for _, test := range []struct{ what, raw, name, problem string }{
		{"plain", "Trading bot", "Trading bot", ""},
		{"one character", "x", "x", ""},
		{"trimmed", " \t Trading bot \n", "Trading bot", ""},
		{"empty", "", "", enterName},
		{"spaces", "   \t", "", enterName},
		{"no-break and wide spaces", "\u00a0\u3000", "", enterName},
		{"64 letters", strings.Repeat("a", 64), strings.Repeat("a", 64), ""},
		{"65 letters", strings.Repeat("a", 65), "", tooLong},
		{"64 after trimming", " " + strings.Repeat("a", 64) + " ", strings.Repeat("a", 64), ""},
		{"64 emoji of four bytes", strings.Repeat("🤖", 64), strings.Repeat("🤖", 64), ""},
		{"65 emoji", strings.Repeat("🤖", 65), "", tooLong},
		{"family emoji with joiners", "👩‍👩‍👧", "👩‍👩‍👧", ""},
		{"right-to-left letters", "בוט מסחר", "בוט מסחר", ""},
		{"arabic with a direction mark", "روبوت\u200f (2)", "روبوت\u200f (2)", ""},
		{"markup", "<script>alert(1)</script>", "<script>alert(1)</script>", ""},
		{"quotes and formula", `=1+1 '"; --`, `=1+1 '"; --`, ""},
		{"bidi override", "safe" + rtlOverride + "gpj.exe", "", forbidden},
		{"bidi isolate", "a\u2066b\u2069", "", forbidden},
		{"bidi embedding", "a\u202ab\u202c", "", forbidden},
		{"NUL", "a\x00b", "", forbidden},
		{"only NUL", "\x00", "", forbidden},
		{"line break inside", "a\nb", "", forbidden},
		{"carriage return inside", "a\rb", "", forbidden}, // G8
		{"escape", "a\x1b[31mb", "", forbidden},
		{"C1 control", "a\u009bb", "", forbidden},
		{"line separator", "a\u2028b", "", forbidden},
		{"10 kB", strings.Repeat("a", 10_000), "", tooLong},
		{"10 kB of spaces", strings.Repeat(" ", 10_000), "", enterName},
		{"invalid UTF-8", "a\xffb", "", notText},
		{"cut rune", "bot \xf0\x9f\xa4", "", notText},
		{"surrogate in UTF-8", "\xed\xa0\x80", "", notText},
	} {
		name, problem := models.CheckName(test.raw)
		if name != test.name || problem != test.problem {
			t.Errorf("%s: got %q, %q, want %q, %q", test.what, name, problem, test.name, test.problem)
		}
	}
}

// A name that shows nothing is no name, whatever it is made of.
func TestCheckNameWantsSomethingVisible(t *testing.T) {
	for what, raw := range map[string]string{
		"zero-width space":            "\u200b",
		"joiner and non-joiner":       "\u200c\u200d",
		"word joiner":                 "\u2060\u2060",
		"byte order mark":             "\ufeff",
		"direction marks":             "\u200e\u200f",
		"soft hyphen":                 "\u00ad",
		"tag characters":              "\U000e0041\U000e0042",
		"zero-width and spaces mixed": "\u200b \u200b",
		"braille blank":               "\u2800",
		"hangul filler":               "\u3164",
		"hangul jamo fillers":         "\u115f\u1160",
		"halfwidth hangul filler":     "\uffa0",
		"grapheme joiner":             "\u034f",
		"variation selectors":         "\ufe0f\U000e0100",
		"mongolian vowel separator":   "\u180e",
		"khmer inherent vowel":        "\u17b4",
	} {
		if name, problem := models.CheckName(raw); name != "" || problem != enterName {
			t.Errorf("%s: got %q, %q", what, name, problem)
		}
	}
}

func TestCheckOptionalName(t *testing.T) {
	for _, test := range []struct{ raw, name, problem string }{
		{"", "", ""},
		{" \t\n", "", ""},
		{"\u3000", "", ""},
		{" CI ", "CI", ""},
		{strings.Repeat("a", 65), "", tooLong},
		{"a\x00", "", forbidden},
		{"\xff", "", notText},
		{"\u200b", "", enterName},
	} {
		name, problem := models.CheckOptionalName(test.raw)
		if name != test.name || problem != test.problem {
			t.Errorf("%q: got %q, %q, want %q, %q", test.raw, name, problem, test.name, test.problem)
		}
	}
}

func TestFoldName(t *testing.T) {
	for _, same := range [][]string{
		{"trading bot", "Trading Bot", "TRADING BOT"},
		{"привет", "ПРИВЕТ", "Привет"},
		{"όνομα σας", "ΌΝΟΜΑ ΣΑΣ", "όνομα σασ"}, // both small sigmas
		{"straße", "STRAẞE"},
		{"ångström", "ÅNGSTRÖM", "\u212bngström"}, // Ångström sign
		{"k", "K", "\u212a"},                      // Kelvin sign
		{"ԱՐԵՎ", "արեվ"},
		{"𐐨", "𐐀"}, // Deseret, outside the first plane
	} {
		for _, name := range same[1:] {
			if models.FoldName(name) != models.FoldName(same[0]) {
				t.Errorf("%q and %q are told apart", name, same[0])
			}
		}
	}
	for _, different := range [][2]string{{"bot", "bots"}, {"bot", "b0t"}, {"a b", "ab"}, {"é", "e"}, {"ナ", "な"}, {"בוט", "בוס"}} {
		if models.FoldName(different[0]) == models.FoldName(different[1]) {
			t.Errorf("%q and %q are taken for one", different[0], different[1])
		}
	}
}

func FuzzCheckName(f *testing.F) {
	for _, seed := range []string{"", " bot ", "<script>", "a\x00b", "\xff", rtlOverride, "\u200b", "0\u200b", strings.Repeat("🤖", 65), "\u00a0x\u00a0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		name, problem := models.CheckName(raw)
		if problem != "" {
			if name != "" {
				t.Fatalf("%q is refused and yet gives %q", raw, name)
			}
			return
		}
		if n := utf8.RuneCountInString(name); n < 1 || n > models.MaxName || !utf8.ValidString(name) {
			t.Fatalf("%q was taken: %d characters", name, n)
		}
		if strings.ContainsFunc(name, unicode.IsControl) || strings.ContainsAny(name, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") {
			t.Fatalf("%q was taken", name)
		}
		if !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }) {
			t.Fatalf("%q shows nothing", name)
		}
		if again, problem := models.CheckName(name); again != name || problem != "" {
			t.Fatalf("%q checked again gives %q, %q", name, again, problem)
		}
		if folded := models.FoldName(name); folded == "" || models.FoldName(folded) != folded || !foldsTo(name, folded) {
			t.Fatalf("%q does not fold to one form", name)
		}
	})
}

// foldsTo tells whether folded is name in another case, with some runes left out.
func foldsTo(name, folded string) bool {
	rest := []rune(folded)
	for _, r := range name {
		if len(rest) > 0 && strings.EqualFold(string(r), string(rest[0])) {
			rest = rest[1:]
		}
	}
	return len(rest) == 0
}

// Two names that look alike are one: what cannot be seen does not count.
func TestFoldNameIgnoresWhatCannotBeSeen(t *testing.T) {
	for _, name := range []string{"Bot\u200b", "B\u200dot", "\ufeffBot", "Bot\u200e", "Bot\ufe0f", "bO\u2060T"} {
		if models.FoldName(name) != models.FoldName("Bot") {
			t.Errorf("%q is another name than Bot", name)
		}
	}
}
