package snippet

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

// language says how a string is written: between marks, with escapes for what would end it
// or mean something else, and for what cannot be seen.
type language struct {
	begin, end string
	special    map[rune]string
	// unseen escapes a character that does not print.
	unseen func(rune) string
	// plain, where there is one, writes strings in which everything can be seen.
	plain *language
}

// escapes are those of C, which most languages share.
func escapes(more ...rune) map[rune]string {
	all := map[rune]string{'\\': `\\`, '"': `\"`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	for _, r := range more {
		all[r] = `\` + string(r)
	}
	return all
}

var (
	inShell = language{
		begin: "$'", end: "'", special: map[rune]string{'\\': `\\`, '\'': `\'`, '\n': `\n`, '\r': `\r`, '\t': `\t`}, unseen: inBytes,
		plain: &language{begin: "'", end: "'", special: map[rune]string{'\'': `'\''`, '\n': "\n", '\t': "\t"}},
	}
	inC = language{begin: `"`, end: `"`, special: escapes(), unseen: func(r rune) string {
		if r > 0xffff {
			return fmt.Sprintf(`\U%08x`, r)
		}
		return fmt.Sprintf(`\u%04x`, r)
	}}
	// The braces end the number: what follows may be a digit.
	inBraces = func(r rune) string { return fmt.Sprintf(`\u{%x}`, r) }
	inScript = language{begin: `"`, end: `"`, special: escapes(), unseen: inBraces}
	// $ and # begin an expression in the strings of these.
	inPHP  = language{begin: `"`, end: `"`, special: escapes('$'), unseen: inBraces}
	inRuby = language{begin: `"`, end: `"`, special: escapes('#'), unseen: inBraces}
	// Java reads its escapes before anything else, in units of UTF-16.
	inJava = language{begin: `"`, end: `"`, special: escapes(), unseen: func(r rune) string {
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
		return b.String()
	}}
)

func inBytes(r rune) string {
	var b strings.Builder
	for _, c := range []byte(string(r)) {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return b.String()
}

func (l language) quote(text string) string {
	if l.plain != nil && !strings.ContainsFunc(text, l.plain.cannotShow) {
		return l.plain.quote(text)
	}
	var b strings.Builder
	b.WriteString(l.begin)
	for _, r := range text {
		escape, ok := l.special[r]
		switch {
		case ok:
			b.WriteString(escape)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(l.unseen(r))
		}
	}
	b.WriteString(l.end)
	return b.String()
}

func (l language) cannotShow(r rune) bool { return l.special[r] == "" && !unicode.IsPrint(r) }
