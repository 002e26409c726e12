package models

import "time"

// How long refused calls are kept, and how many: of each team, and of values that no
// team is known for.
const (
	KeepRefused        = 30 * 24 * time.Hour
	MaxRefused         = 200
	KeepRefusedUnknown = 7 * 24 * time.Hour
	MaxRefusedUnknown  = 1000
)

// TokenFate is what became of a token. Its fields are empty where the token has been
// deleted since.
type TokenFate struct {
	TokenID, ApplicationID string
	TokenName              string
	Kind                   TokenKind
	Last4                  string
	// Scopes is what it may do now, AppScopes what its application has.
	Scopes, AppScopes string
	ExpiresAt         Time
	// RevokedAt is when it was revoked, by itself or with all of its application.
	RevokedAt Time
	// RevokedByName is who did that, empty where it is not known any more; the
	// application's name where its program did (ByProgram).
	RevokedByName string
	ByProgram     bool

	ApplicationName string
	AppDisabledAt   Time
	AppDeletedAt    Time
	TeamSuspendedAt Time
}

// Refused tells whether calls with the token are refused at now, and why. One that had
// expired before all of its application were revoked has expired.
func (f TokenFate) Refused(now Time) (Refusal, bool) {
	switch {
	case !f.AppDeletedAt.IsZero():
		return RefusedDeleted, true
	case f.revoked():
		return RefusedRevoked, true
	case now >= f.ExpiresAt:
		return RefusedExpired, true
	case !f.AppDisabledAt.IsZero():
		return RefusedDisabled, true
	case !f.TeamSuspendedAt.IsZero():
		return RefusedSuspended, true
	}
	return "", false
}

func (f TokenFate) revoked() bool { return !f.RevokedAt.IsZero() && f.RevokedAt < f.ExpiresAt }

// RefusedRow is a refused call as its team sees it.
type RefusedRow struct {
	RefusedCall `gorm:"embedded"`
	Fate        TokenFate `gorm:"embedded;embeddedPrefix:fate_"`
}

// Why is the reason of the call in the light of what is known of the token.
func (r RefusedRow) Why() Refusal {
	if r.Reason == RefusedRevoked && r.Fate.TokenID != "" && !r.Fate.revoked() && r.LastAt >= r.Fate.ExpiresAt {
		return RefusedExpired
	}
	return r.Reason
}

// RefusedQuery chooses what the list of refused calls shows. Page counts from 1.
type RefusedQuery struct {
	Application string
	Page        int
}

// RefusedList is one page of a team's refused calls, newest first.
type RefusedList struct {
	Rows  []RefusedRow
	Total int64
}

// RefusedTally is how often a value was refused lately, and when last.
type RefusedTally struct {
	Times  int64
	LastAt Time
}

// TokenVerdict is what a team is told of a value by its hash. Of another team's token it
// holds what it holds of one that nobody knows.
type TokenVerdict struct {
	// Known tells that the token is the team's and still there: see Fate. Deleted tells that
	// it was the team's.
	Known, Deleted bool
	Fate           TokenFate
	// Refused counts calls with it.
	Refused RefusedTally
}

// Mistake is what is wrong with a text that was pasted as a token, before anybody is asked
// about it. Empty is for the right form.
type Mistake string

// The mistakes. The script in static/js/check.js finds the same ones.
const (
	MistakeEmpty      Mistake = "empty"
	MistakeMasked     Mistake = "masked"
	MistakeSecret     Mistake = "secret"
	MistakeClientID   Mistake = "client-id"
	MistakeJWT        Mistake = "jwt"
	MistakeSplit      Mistake = "split"
	MistakeCharacters Mistake = "characters"
	MistakeShort      Mistake = "short"
	MistakeLong       Mistake = "long"
	MistakePrefix     Mistake = "prefix"
	MistakeDigits     Mistake = "digits"
)

// Mistakes are all of them.
var Mistakes = []Mistake{
	MistakeEmpty, MistakeMasked, MistakeSecret, MistakeClientID, MistakeJWT, MistakeSplit, MistakeCharacters,
	MistakeShort, MistakeLong, MistakePrefix, MistakeDigits,
}

// Asked tells whether a value with this mistake may be asked about by its hash. It has the
// form of a token, so its hash gives nothing away that could be guessed.
func (m Mistake) Asked() bool { return m == "" || m == MistakeDigits }

// Around is what stood around a value that was pasted.
type Around string

// What may stand around it.
const (
	AroundSpace  Around = "space"
	AroundQuotes Around = "quotes"
	AroundBearer Around = "bearer"
)

// Arounds are all of them.
var Arounds = []Around{AroundSpace, AroundQuotes, AroundBearer}
