package models

// Authenticator is a person's authenticator app: the sealed seed that its codes come from.
type Authenticator struct {
	UserID string `gorm:"primaryKey"`
	Sealed []byte
	// LastStep is the time step of the last code that was taken.
	LastStep   int64
	CreatedAt  Time `gorm:"autoCreateTime:false"`
	LastUsedAt Time
}

// Passkey is a key pair of which a person's device holds the private half.
type Passkey struct {
	ID      string `gorm:"primaryKey"`
	UserID  string
	Name    string
	NameKey string
	// Handle is by what the device knows the account; it names nobody.
	Handle       []byte
	CredentialID []byte
	// Credential is the public key and what else was said of it, as JSON.
	Credential string
	// SignCount is the device's counter, zero where it keeps none.
	SignCount  int64
	CreatedAt  Time `gorm:"autoCreateTime:false"`
	LastUsedAt Time
}

// RecoveryCode stands in once for a factor that is not at hand.
type RecoveryCode struct {
	UserID string `gorm:"primaryKey"`
	// Number is its place in the list that was shown, from 0.
	Number    int    `gorm:"primaryKey;autoIncrement:false"`
	Hash      string // argon2id
	CreatedAt Time   `gorm:"autoCreateTime:false"`
	UsedAt    Time
}

// SecondFactorPolicy is what a team asks of its members, and how many have no factor.
type SecondFactorPolicy struct {
	Required bool
	Without  int64
}

// CheckPasskeyName returns the sentence to show where somebody who has these passkeys
// cannot add one of that name, else an empty one.
func CheckPasskeyName(name string, known []Passkey) string {
	if len(known) >= MaxPasskeys {
		return "You have ten passkeys, which is the most. Remove one first."
	}
	for _, passkey := range known {
		if passkey.NameKey == FoldName(name) {
			return "You have a passkey called " + passkey.Name + " already. Choose another name."
		}
	}
	return ""
}

// MaxPasskeys is how many passkeys a person may have.
const MaxPasskeys = 10

// Factors is what a person can prove themselves by beside a password.
type Factors struct {
	// Authenticator is nil where there is none.
	Authenticator *Authenticator
	Passkeys      []Passkey
	// CodesLeft and Codes count the recovery codes: unused, and made.
	CodesLeft, Codes int64
}

// Any tells whether there is a second factor. Recovery codes stand in for one and are none.
func (f Factors) Any() bool { return f.Authenticator != nil || len(f.Passkeys) > 0 }

// FactorKind is a kind of second factor.
type FactorKind string

// The second factors, as the audit log names them.
const (
	FactorAuthenticator FactorKind = "authenticator app"
	FactorPasskey       FactorKind = "passkey"
	FactorRecoveryCode  FactorKind = "recovery code"
)

// Evidence is one use of a factor. The store spends it with the sign-in that it
// belongs to, so that nothing counts twice; the zero Evidence is none.
type Evidence struct {
	Kind FactorKind
	// Step is the time step of an authenticator app's code.
	Step int64
	// Code and CodeHash are a recovery code that was spent for this sign-in.
	Code     int
	CodeHash string
	// Passkey is as its use has left it.
	Passkey Passkey
}

// Words says how somebody signed in, for the audit log.
func (p Proof) Words() string {
	words := p.Method.Words()
	if p.Method == ByPasskey {
		return words + " (" + p.Factor.Passkey.Name + ")"
	}
	switch p.Factor.Kind {
	case FactorAuthenticator:
		return words + " and an authenticator app"
	case FactorPasskey:
		return words + " and a passkey (" + p.Factor.Passkey.Name + ")"
	case FactorRecoveryCode:
		return words + " and a recovery code"
	}
	return words
}

// The ceremonies around second factors. A challenge made for one purpose is no good for another.
const (
	CeremonySecondFactor    CeremonyKind = "second factor"
	CeremonyAuthenticator   CeremonyKind = "authenticator app"
	CeremonyNewPasskey      CeremonyKind = "new passkey"
	CeremonyPasskeySignIn   CeremonyKind = "passkey sign-in"
	CeremonyPasskeySecond   CeremonyKind = "passkey second"
	CeremonyPasskeyConfirms CeremonyKind = "passkey confirms"
)

// FactorCeremonies end when the factors of their user change.
var FactorCeremonies = []CeremonyKind{
	CeremonySecondFactor, CeremonyAuthenticator, CeremonyNewPasskey, CeremonyPasskeySignIn, CeremonyPasskeySecond, CeremonyPasskeyConfirms,
}
