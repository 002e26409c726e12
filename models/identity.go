package models

import "strings"

// Identity is a person at an OpenID provider: Issuer and Subject together. Addresses
// change hands, so Email names nobody.
type Identity struct {
	Issuer     string `gorm:"primaryKey"`
	Subject    string `gorm:"primaryKey"`
	UserID     string
	Email      string
	CreatedAt  Time `gorm:"autoCreateTime:false"`
	LastUsedAt Time
}

// What a browser begins with the OpenID provider.
const (
	// CeremonyProvider is under way to the provider and back.
	CeremonyProvider CeremonyKind = "provider"
	// CeremonyProviderLink is an identity that waits to be linked to an account.
	CeremonyProviderLink CeremonyKind = "provider link"
)

// Newcomers says who may make an account by signing in at the provider, and where it
// gets its place. Without Domains nobody may.
type Newcomers struct {
	// Domains of email addresses, in lower case.
	Domains []string
	// Team is the name or the ID of a team that exists.
	Team string
	Role Role
}

// Admits tells whether an address is of one of the domains: of exactly that one, and
// written in ASCII, for other letters fold into those.
func (n Newcomers) Admits(email string) bool {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return false
	}
	for _, domain := range n.Domains {
		if lowerASCII(email[at+1:]) == domain {
			return true
		}
	}
	return false
}

func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, text)
}

// NewcomersName is what to call an account: the name that the provider gave, else
// what stands before the @ of its address.
func NewcomersName(given, email string) string {
	before, _, _ := strings.Cut(email, "@")
	for _, candidate := range []string{given, before} {
		letters := []rune(strings.TrimSpace(candidate))
		if name, problem := CheckName(string(letters[:min(len(letters), MaxName)])); problem == "" {
			return name
		}
	}
	return "New member"
}
