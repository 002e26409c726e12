package models

import (
	"slices"
	"strings"
)

// TokenKind says how a token came to be.
type TokenKind string

// The kinds of token.
const (
	// KindManual is generated on a page and can be copied again while active.
	KindManual TokenKind = "manual"
	// KindClientCredentials is issued at the token endpoint and never shown again.
	KindClientCredentials TokenKind = "client_credentials"
	// KindTemporary is a member's own in a team, for trying the API from the browser.
	KindTemporary TokenKind = "temporary"
)

// Status is what a token is at one moment. It is derived from times, never stored.
type Status string

// The statuses.
const (
	StatusActive  Status = "Active"
	StatusExpired Status = "Expired"
	StatusRevoked Status = "Revoked"
)

// Token is an opaque bearer access token of one application.
type Token struct {
	ID            string `gorm:"primaryKey"`
	ApplicationID string
	TeamID        string
	Kind          TokenKind
	Name          string
	// Hash is the SHA-256 of the value.
	Hash []byte
	// Sealed is the encrypted value of a manual or temporary token, else empty.
	Sealed []byte
	Last4  string
	// Scopes is what was granted, separated by spaces.
	Scopes string
	// Epoch is the application's when the token was made: it is revoked once the
	// application's has grown.
	Epoch        int64
	CreatedAt    Time `gorm:"autoCreateTime:false"`
	CreatedBy    string
	ExpiresAt    Time
	RevokedAt    Time
	RevokedBy    string
	LastUsedAt   Time
	LastUsedFrom string
}

// Status derives the status at now. The moment of expiry counts as expired.
func (t Token) Status(now Time) Status {
	switch {
	case !t.RevokedAt.IsZero():
		return StatusRevoked
	case now >= t.ExpiresAt:
		return StatusExpired
	}
	return StatusActive
}

// TokenInput is what the form Generate New Token holds, as typed.
type TokenInput struct {
	Name     string
	Lifespan string
}

// TokenValues is a checked TokenInput. Lifespan is zero for the application's.
type TokenValues struct {
	Name     string
	Lifespan int64
}

// Validate checks the input against the application's lifespan in seconds.
// Fields of the error: name, lifespan.
func (in TokenInput) Validate(longest int64) (TokenValues, error) {
	errs := FieldErrors{}
	name, problem := CheckOptionalName(in.Name)
	if problem != "" {
		errs["name"] = problem
	}
	values := TokenValues{Name: name}
	if strings.TrimSpace(in.Lifespan) != "" {
		values.Lifespan, problem = ParseLifespan(in.Lifespan, longest)
		if problem != "" {
			errs["lifespan"] = problem
		}
	}
	return values, errs.OrNil()
}

// Grant decides the scopes of a new token: what is asked for where the
// application has it all, the application's own where nothing is asked for.
// It reports false for a scope that the application does not have, and for what is
// no list of scopes (RFC 6749 section 3.3).
func Grant(asked, owned string) (string, bool) {
	if asked == "" {
		return owned, true
	}
	have := strings.Fields(owned)
	var granted []string
	for scope := range strings.SplitSeq(asked, " ") {
		if !slices.Contains(have, scope) {
			return "", false
		}
		if !slices.Contains(granted, scope) {
			granted = append(granted, scope)
		}
	}
	return strings.Join(granted, " "), true
}

// IsScope tells whether name can be a scope (RFC 6749 section 3.3).
func IsScope(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r < 0x21 || r > 0x7e || r == '"' || r == '\\' })
}

// EffectiveScopes is what a token may do now: what was granted and the
// application still has.
func EffectiveScopes(granted, owned string) string {
	if granted == owned {
		return granted
	}
	have := strings.Fields(owned)
	return strings.Join(slices.DeleteFunc(strings.Fields(granted), func(scope string) bool {
		return !slices.Contains(have, scope)
	}), " ")
}

// TokenUse says that a token was accepted.
type TokenUse struct {
	TokenID       string
	ApplicationID string
	At            Time
	From          string
}

// Bearer is a token with all that decides whether it is good.
type Bearer struct {
	Token           `gorm:"embedded"`
	ClientID        string
	AppScopes       string
	AppEpoch        int64
	AppDisabledAt   Time
	AppDeletedAt    Time
	TeamSuspendedAt Time
}

// Refusal says why a bearer token is not good. It is for the log and for the
// token's own team; programs are told nothing but that it is not.
type Refusal string

// The reasons.
const (
	RefusedMalformed Refusal = "malformed"
	// RefusedCheckDigits has the form of a token, and the last six characters do not fit it.
	RefusedCheckDigits Refusal = "wrong check digits"
	RefusedUnknown     Refusal = "unknown"
	RefusedExpired     Refusal = "expired"
	RefusedRevoked     Refusal = "revoked"
	RefusedDisabled    Refusal = "application switched off"
	RefusedDeleted     Refusal = "application deleted"
	RefusedSuspended   Refusal = "team suspended"
	RefusedForeign     Refusal = "another team's"
	// RefusedScope is for a good token that lacks the scope asked for.
	RefusedScope Refusal = "wrong scope"
)

// Refusals are all reasons.
var Refusals = []Refusal{
	RefusedMalformed, RefusedCheckDigits, RefusedUnknown, RefusedExpired, RefusedRevoked, RefusedDisabled, RefusedDeleted, RefusedSuspended, RefusedForeign, RefusedScope,
}

// Refused tells whether the token is not good at now, and why.
func (b Bearer) Refused(now Time) (Refusal, bool) {
	switch {
	case !b.AppDeletedAt.IsZero():
		return RefusedDeleted, true
	case b.Status(now) == StatusRevoked || b.Epoch < b.AppEpoch:
		return RefusedRevoked, true
	case b.Status(now) == StatusExpired:
		return RefusedExpired, true
	case !b.AppDisabledAt.IsZero():
		return RefusedDisabled, true
	case !b.TeamSuspendedAt.IsZero():
		return RefusedSuspended, true
	}
	return "", false
}
