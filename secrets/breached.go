package secrets

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/latchkey/latchkey/models"
)

const productName = "latchkey"

// The sentences shown beside the password field.
const (
	sentenceLeaked   = "This password is on lists of leaked passwords. Choose another one."
	sentenceContext  = "Do not use your name, email, team or the word Latchkey as the password."
	sentenceSequence = "Do not use one repeated character or a simple sequence as the password."
)

//go:embed breached/common.txt.gz
var commonPasswords []byte

// leaked returns the embedded list in lower case, sorted. Its 130 KB stay in
// memory from the first new password on.
var leaked = sync.OnceValue(func() []string {
	reader, err := gzip.NewReader(bytes.NewReader(commonPasswords))
	if err != nil {
		panic("secrets: embedded password list: " + err.Error())
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		panic("secrets: embedded password list: " + err.Error())
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
})

// CheckPassword returns the sentence to show for a new password that is too short
// or long, is known from leaks or is easily guessed, else an empty one. words are
// what an attacker knows: names of user and team, the email address. It is safe
// for concurrent use and sends nothing anywhere.
func CheckPassword(password models.Secret, words ...string) string {
	if problem := models.CheckPasswordLength(password); problem != "" {
		return problem
	}
	value := strings.ToLower(password.Reveal())
	if _, found := slices.BinarySearch(leaked(), value); found {
		return sentenceLeaked
	}
	if isSequence([]rune(value)) {
		return sentenceSequence
	}
	if isAny(value, words) || madeOf(letters(value), contextWords(words)) {
		return sentenceContext
	}
	return ""
}

// isSequence finds aaaa, abcd, dcba, 7890123 and the like.
func isSequence(value []rune) bool {
	step := value[1] - value[0]
	if step == '0'-'9' || step == '9'-'0' {
		step = -step / 9
	}
	if step < -1 || step > 1 {
		return false
	}
	for i, r := range value[1:] {
		wraps := step > 0 && value[i] == '9' && r == '0' || step < 0 && value[i] == '0' && r == '9'
		if r-value[i] != step && !wraps {
			return false
		}
	}
	return true
}

// isAny finds what has too few letters for madeOf, such as a team named 20-26-2026.
func isAny(value string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		return models.FoldName(strings.TrimSpace(word)) == models.FoldName(strings.TrimSpace(value))
	})
}

// contextWords returns the letters of each word, of the two sides of an address
// and of every part between other characters. A lone letter is no word: every
// password could be made of those.
func contextWords(given []string) []string {
	var words []string
	add := func(raw string) {
		if word := letters(raw); utf8.RuneCountInString(word) > 1 {
			words = append(words, word)
		}
	}
	for _, word := range append([]string{productName}, given...) {
		for side := range strings.SplitSeq(word, "@") {
			add(side)
			for part := range strings.FieldsFuncSeq(side, notLetter) {
				add(part)
			}
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// madeOf tells whether value is words one after the other, in any order and number.
func madeOf(value string, words []string) bool {
	reached := make([]bool, len(value)+1)
	reached[0] = true
	for at := range value {
		if !reached[at] {
			continue
		}
		for _, word := range words {
			if strings.HasPrefix(value[at:], word) {
				reached[at+len(word)] = true
			}
		}
	}
	return value != "" && reached[len(value)]
}

// letters leaves out digits and punctuation, and makes cases equal.
func letters(value string) string {
	return models.FoldName(strings.Join(strings.FieldsFunc(value, notLetter), ""))
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }
