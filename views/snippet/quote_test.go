package snippet

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// reader reads a string as its language does.
type reader struct {
	language
	// begins are the characters that begin an expression where they are not escaped.
	begins string
	// braced tells that \u takes its number in braces, utf16 that it names a unit of UTF-16.
	braced, utf16 bool
}

var readers = map[string]reader{
	"C#, Python and Go": {language: inC},
	"JavaScript":        {language: inScript, braced: true},
	"PHP":               {language: inPHP, begins: "$", braced: true},
	"Ruby":              {language: inRuby, begins: "#", braced: true},
	"Java":              {language: inJava, utf16: true},
}

var errString = errors.New("not one whole string")

// read reads a quoted string back, and fails where it would end early or calculate.
func (l reader) read(quoted string) (string, error) {
	text, ok := strings.CutPrefix(quoted, `"`)
	var out strings.Builder
	for ok && text != "" {
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch {
		case r == '"':
			if text == "" {
				return out.String(), nil
			}
			return "", errString
		case r == '\n' || r == '\r' || strings.ContainsRune(l.begins, r):
			return "", errString
		case r != '\\':
			out.WriteRune(r)
		default:
			value, rest, err := l.escape(text)
			if err != nil {
				return "", err
			}
			out.WriteString(value)
			text = rest
		}
	}
	return "", errString
}

func (l reader) escape(text string) (value, rest string, err error) {
	if text == "" {
		return "", "", errString
	}
	letter, rest := text[0], text[1:]
	switch letter {
	case 'n':
		return "\n", rest, nil
	case 'r':
		return "\r", rest, nil
	case 't':
		return "\t", rest, nil
	case 'u', 'U':
		return l.number(letter, rest)
	}
	if letter == '\\' || letter == '"' || strings.IndexByte(l.begins, letter) >= 0 {
		return string(letter), rest, nil
	}
	return "", "", errString
}

func (l reader) number(letter byte, text string) (value, rest string, err error) {
	digits, rest := "", text
	switch {
	case l.braced && letter == 'u':
		inside, after, ok := strings.Cut(strings.TrimPrefix(text, "{"), "}")
		if !ok || text[0] != '{' {
			return "", "", errString
		}
		digits, rest = inside, after
	case letter == 'U' && !l.utf16 && len(text) >= 8:
		digits, rest = text[:8], text[8:]
	case letter == 'u' && len(text) >= 4:
		digits, rest = text[:4], text[4:]
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return "", "", err
	}
	if l.utf16 && utf16.IsSurrogate(rune(n)) {
		low, err := strconv.ParseUint(rest[2:6], 16, 32)
		return string(utf16.DecodeRune(rune(n), rune(low))), rest[6:], err
	}
	return string(rune(n)), rest, nil
}

func FuzzQuote(f *testing.F) {
	for _, text := range []string{"", "\\", "\"", "\\\"", "$HOME", "#{1}", "\\u0041", "\x01A", "\u2028\U000e00419", "it's\n\r\t", "\\\\u0022", "\U0001F98A\u202e"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		for name, l := range readers {
			if back, err := l.read(l.quote(text)); err != nil || back != text {
				t.Errorf("%s reads %s as %q: %v", name, l.quote(text), back, err)
			}
		}
		if back, err := strconv.Unquote(inC.quote(text)); err != nil || back != text {
			t.Errorf("Go reads %s as %q: %v", inC.quote(text), back, err)
		}
	})
}
