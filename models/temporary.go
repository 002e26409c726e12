package models

import "time"

// BuiltInName is the application that each team has from the start. It holds the
// temporary tokens of its members.
const BuiltInName = "Temporary (IDE)"

// What a temporary token lives by, unless the operator's longest lifespan is shorter.
const (
	temporaryEvery = 12 * time.Hour
	temporaryGrace = 5 * time.Minute
)

// Rotation is how temporary tokens follow each other: each Every, of a day that begins
// at 00:00 UTC; the one before works for Grace more.
type Rotation struct{ Every, Grace time.Duration }

// NewRotation halves the usual 12 hours until no token lives longer than longest seconds.
func NewRotation(longest int64) Rotation {
	r := Rotation{Every: temporaryEvery, Grace: temporaryGrace}
	for r.Every+r.Grace > time.Duration(longest)*time.Second && r.Every > time.Second {
		r.Every /= 2
		r.Grace = min(temporaryGrace, r.Every)
	}
	return r
}

// Changes is when the token of now gives way to the next one.
func (r Rotation) Changes(now Time) Time {
	every := Time(r.Every.Milliseconds())
	return now - now%every + every
}

// Ends is when the token of now expires.
func (r Rotation) Ends(now Time) Time { return r.Changes(now).Add(r.Grace) }

// Temporary is how things stand with a member's temporary token.
type Temporary struct {
	// ApplicationID is the built-in application's.
	ApplicationID string
	// Off tells that the application is switched off.
	Off bool
	// Token is the one of now, its Sealed not loaded; without an ID where none was made yet.
	Token Token
}

// BuiltIn tells whether Latchkey made the application: it has no credentials and no
// settings, and no tokens but temporary ones.
func (a Application) BuiltIn() bool { return a.Type == TypeBuiltIn }
