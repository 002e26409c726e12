package models

// Session is a signed-in browser. Its cookie carries a random ID; the row is
// found by the SHA-256 of that ID.
type Session struct {
	IDHash []byte `gorm:"primaryKey"`
	// Ref names the session in forms. It opens nothing and stays when the ID changes.
	Ref    string
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
	// ByLink is a reset link; it is no proof of identity for what wants a fresh one.
	ByLink SignInMethod = "link"
)

// Words says how somebody signed in: "with a password".
func (m SignInMethod) Words() string {
	switch m {
	case ByPassword:
		return "with a password"
	case ByPasskey:
		return "with a passkey"
	case ByProvider:
		return "through another provider"
	case ByLink:
		return "with a link"
	}
	return ""
}

// Proof is what somebody has shown of who they are.
type Proof struct {
	UserID string
	Method SignInMethod
	// PasswordHash is the hash that a password was compared with, for ByPassword: the
	// store refuses it where it is not the account's any more.
	PasswordHash string
	// NewBrowser tells that the person has signed in before, but never in this browser.
	NewBrowser bool
	// Factor is what was shown beside it, or the passkey that was shown alone.
	Factor Evidence
	// At is when it was given, for ByProvider: zero where the provider does not say.
	At Time
}

// ProvenAt is when the person last proved who they are, zero for never. A second factor
// was given just now; a provider says when its proof was given, and a link is none.
func (p Proof) ProvenAt(now Time) Time {
	switch {
	case p.Factor.Kind != "":
		return now
	case p.Method == ByLink:
		return 0
	case p.Method == ByProvider:
		return min(p.At, now)
	}
	return now
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

// CeremonyEmail is a new email address that waits until its owner opens the link sent there.
const CeremonyEmail CeremonyKind = "email"

// CeremonySignUp is a new account that waits until its owner opens the link sent there.
const CeremonySignUp CeremonyKind = "sign-up"

// KnownBrowser is a browser in which a user has signed in before. Guesses from
// elsewhere do not slow it down.
type KnownBrowser struct {
	IDHash    []byte `gorm:"primaryKey"`
	UserID    string
	CreatedAt Time `gorm:"autoCreateTime:false"`
}
