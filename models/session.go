package models

// Session is a signed-in browser. Its cookie carries a random ID; the row is
// found by the SHA-256 of that ID.
type Session struct {
	IDHash []byte `gorm:"primaryKey"`
	UserID string
	// TeamID is the team that the session acts in, empty where its user has none.
	TeamID string
	// Method is how the person proved who they are when they signed in.
	Method     SignInMethod
	CreatedAt  Time `gorm:"autoCreateTime:false"`
	LastSeenAt Time
	// ProvenAt is when the person last gave a proof of identity.
	ProvenAt Time
	Address  string
	Browser  string
	// Flash is the message for the next page, as JSON; never a value.
	Flash string
	// Pending is a deed that waits for a fresh proof of identity, as JSON; never a value.
	Pending string
}

// SignInMethod is a way to prove who one is.
type SignInMethod string

// The ways in.
const (
	ByPassword SignInMethod = "password"
	ByPasskey  SignInMethod = "passkey"
	ByProvider SignInMethod = "provider"
	// ByLink is an invitation or a reset link; it is no proof of identity for what wants a fresh one.
	ByLink SignInMethod = "link"
)

// Proof is what somebody has shown of who they are.
type Proof struct {
	UserID string
	Method SignInMethod
	// PasswordHash is the hash that a password was compared with, for ByPassword: the
	// store refuses it where it is not the account's any more.
	PasswordHash string
	// At is when it was given, for ByProvider: zero where the provider does not say.
	At Time
}

// Ceremony is what a browser has begun and not finished. It is found by the
// SHA-256 of a random ID and good once.
type Ceremony struct {
	IDHash []byte `gorm:"primaryKey"`
	Kind   CeremonyKind
	UserID string
	// Data is what the kind needs to go on, as JSON; never a secret in the clear.
	Data      string
	CreatedAt Time `gorm:"autoCreateTime:false"`
	ExpiresAt Time
}

// CeremonyKind says what was begun.
type CeremonyKind string

// KnownBrowser is a browser in which a user has signed in before. Guesses from
// elsewhere do not slow it down.
type KnownBrowser struct {
	IDHash    []byte `gorm:"primaryKey"`
	UserID    string
	CreatedAt Time `gorm:"autoCreateTime:false"`
}
