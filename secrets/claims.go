package secrets

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/latchkey/latchkey/models"
)

// maxSeconds is the end of the year 9999: its milliseconds are far from overflowing.
const maxSeconds = 253402300799

// Assertion is the checked-signature content of a client assertion. Whom it is
// for and when it is good is the caller's to decide.
type Assertion struct {
	Issuer, Subject, ID            string
	Audience                       []string
	ExpiresAt, NotBefore, IssuedAt models.Time // zero where absent
}

// claimReader remembers whether any claim was of the wrong type.
type claimReader struct {
	members map[string]json.RawMessage
	wrong   bool
}

func parseClaims(payload []byte) (Assertion, bool) {
	members, ok := jsonMembers(payload)
	if !ok {
		return Assertion{}, false
	}
	claims := claimReader{members: members}
	read := Assertion{
		Issuer: claims.text("iss"), Subject: claims.text("sub"), ID: claims.text("jti"),
		Audience:  claims.audience(),
		ExpiresAt: claims.time("exp"), NotBefore: claims.time("nbf"), IssuedAt: claims.time("iat"),
	}
	if claims.wrong {
		return Assertion{}, false
	}
	return read, true
}

func (c *claimReader) text(name string) string {
	raw, present := c.members[name]
	if !present {
		return ""
	}
	value, ok := jsonText(raw)
	c.wrong = c.wrong || !ok
	return value
}

func (c *claimReader) audience() []string {
	raw, present := c.members["aud"]
	if !present {
		return nil
	}
	if one, ok := jsonText(raw); ok {
		return []string{one}
	}
	many, ok := jsonTexts(raw)
	c.wrong = c.wrong || !ok
	return many
}

func (c *claimReader) time(name string) models.Time {
	raw, present := c.members[name]
	if !present {
		return 0
	}
	// Text, null and the like are no numbers to this either.
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || seconds < 0 || seconds > maxSeconds {
		c.wrong = true
		return 0
	}
	return models.Time(seconds * 1000)
}

// jsonMembers takes an object apart. It refuses what two readers could understand
// in two ways: a name that comes twice, bytes that are no characters.
func jsonMembers(text []byte) (map[string]json.RawMessage, bool) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, false
	}
	members := map[string]json.RawMessage{}
	for decoder.More() {
		token, _ := decoder.Token()
		name, ok := token.(string)
		_, twice := members[name]
		var value json.RawMessage
		if !ok || twice || decoder.Decode(&value) != nil {
			return nil, false
		}
		members[name] = value
	}
	return members, true
}

func jsonText(raw json.RawMessage) (string, bool) {
	var value *string
	if json.Unmarshal(raw, &value) != nil || value == nil {
		return "", false
	}
	return *value, true
}

func jsonTexts(raw json.RawMessage) ([]string, bool) {
	var values []json.RawMessage
	if json.Unmarshal(raw, &values) != nil || values == nil {
		return nil, false
	}
	texts := make([]string, len(values))
	for i, value := range values {
		text, ok := jsonText(value)
		if !ok {
			return nil, false
		}
		texts[i] = text
	}
	return texts, true
}
