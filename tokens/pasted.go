package tokens

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// Pasted is a text that somebody pasted as a token. Value is without what stood around it.
type Pasted struct {
	Value   models.Secret
	Mistake models.Mistake
	Around  []models.Around
}

const (
	// invisible are spaces to people and not to unicode.IsSpace.
	invisible = "\u200b\u200c\u200d\u2060\ufeff"
	// quotes are what configuration files and sentences put around a value.
	quotes = "\"'`,;“”‘’„«»"
	// maskDots stand where a page hides a value.
	maskDots = "•…*"
)

var (
	scheme   = regexp.MustCompile(`(?i)^(authorization:[ \t]*|bearer[\s:]+)`)
	clientID = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// ReadPasted looks at a text that was pasted as a token: what stood around it, and what is
// wrong with its form. The script in static/js/check.js does the same in the browser.
func ReadPasted(text string) Pasted {
	var p Pasted
	for before := "-" + text; before != text; {
		before = text
		text = p.without(text, models.AroundSpace, strings.TrimFunc(text, isSpace))
		text = p.without(text, models.AroundQuotes, strings.Trim(text, quotes))
		text = p.without(text, models.AroundBearer, scheme.ReplaceAllString(text, ""))
	}
	p.Value, p.Mistake = models.NewSecret(text), mistake(text)
	return p
}

func (p *Pasted) without(text string, what models.Around, rest string) string {
	if rest != text && !slices.Contains(p.Around, what) {
		p.Around = append(p.Around, what)
	}
	return rest
}

func isSpace(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(invisible, r) }

func mistake(text string) models.Mistake {
	switch {
	case text == "":
		return models.MistakeEmpty
	case len(text) > maxValue:
		return models.MistakeLong
	case strings.ContainsAny(text, maskDots):
		return models.MistakeMasked
	case strings.HasPrefix(text, secrets.ClientSecretPrefix):
		return models.MistakeSecret
	case clientID.MatchString(text):
		return models.MistakeClientID
	case strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") > 1:
		return models.MistakeJWT
	case strings.ContainsFunc(text, isSpace):
		return models.MistakeSplit
	case strings.Trim(text, secrets.Base62Digits+"_-.") != "":
		return models.MistakeCharacters
	case !shaped(text):
		return models.MistakeShort
	case WellFormed(text):
		return ""
	case len(text) == secrets.RandomChars+checkChars:
		return models.MistakePrefix
	}
	return models.MistakeDigits
}
