package models

import "time"

// Mark is how long before the end of a token or an old secret people are told.
type Mark time.Duration

// Marks are those at which people are told once each, the nearest first.
var Marks = []Mark{Mark(24 * time.Hour), Mark(7 * 24 * time.Hour)}

// Seconds is how the database names a mark.
func (m Mark) Seconds() int64 { return int64(time.Duration(m) / time.Second) }

// Before is the moment until which what ends at now plus the mark ends.
func (m Mark) Before(now Time) Time { return now.Add(time.Duration(m)) }

// EndingKind says what ends.
type EndingKind string

// What ends, and people are told of.
const (
	EndingToken  EndingKind = "token"
	EndingSecret EndingKind = "secret"
)

// Ending is a manual token, or an old client secret, that ends.
type Ending struct {
	Kind            EndingKind
	ID              string
	TeamID          string
	TeamName        string
	ApplicationID   string
	ApplicationName string
	// Name is the token's, empty where it has none, and for a secret.
	Name       string
	Last4      string
	MadeBy     string
	MadeByName string
	CreatedAt  Time
	EndsAt     Time
}

// EndsSoon tells whether a token that was made at created is within a mark of its
// end. A token that lives no longer than a mark is not announced at it: it would be
// as soon as it is made.
func EndsSoon(created, ends, now Time) bool {
	for _, mark := range Marks {
		d := time.Duration(mark)
		if now < ends && ends.Sub(now) <= d && ends.Sub(created) > d {
			return true
		}
	}
	return false
}

// EndsSoon tells whether the token is active and within a mark of its end.
func (t Token) EndsSoon(now Time) bool {
	return t.Status(now) == StatusActive && EndsSoon(t.CreatedAt, t.ExpiresAt, now)
}

// Lifespan is how long the token lives in all, in seconds.
func (t Token) Lifespan() int64 { return int64(t.ExpiresAt.Sub(t.CreatedAt) / time.Second) }

// Warning is something that ends soon and who is told of it now.
type Warning struct {
	Ending
	People []Recipient
}

// Recipient is a member who is told.
type Recipient struct {
	UserID   string
	Name     string
	Email    string
	TimeZone string
}

// Attention is what of a team's applications somebody should look at.
type Attention struct {
	// Ending counts tokens and secrets that end soon, EndingOf those of one application.
	Ending   int64
	EndingOf map[string]int64
	// Findings counts those of the hygiene list.
	Findings int64
	// Points is how the team stands where its points run out, else nil.
	Points *Standing
}
