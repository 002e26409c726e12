package models

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// User is a person who signs in.
type User struct {
	ID       string `gorm:"primaryKey"`
	Email    string
	EmailKey string
	Name     string
	// PasswordHash is empty for an account without a password.
	PasswordHash string
	Operator     bool
	CreatedAt    Time `gorm:"autoCreateTime:false"`
	DisabledAt   Time
	LastSeenAt   Time
	// TimeZone is an IANA name; empty is UTC.
	TimeZone string
	// FailuresSeenAt is until when the person was shown the failed tries on the account.
	FailuresSeenAt Time
	// LastTeamID is where the next sign-in begins, if the person is still in it.
	LastTeamID string
	// SecondFactor tells that the person has an authenticator app or a passkey.
	SecondFactor bool
}

// Team owns applications and tokens.
type Team struct {
	ID          string `gorm:"primaryKey"`
	Name        string
	NameKey     string
	CreatedAt   Time `gorm:"autoCreateTime:false"`
	SuspendedAt Time
	// RequiresSecondFactor keeps members without one out of all but its enrolment.
	RequiresSecondFactor bool
	// SuspendedReason is what the operator wrote to its members, empty for nothing.
	SuspendedReason string
}

// Member is a user's place in a team.
type Member struct {
	TeamID    string `gorm:"primaryKey"`
	UserID    string `gorm:"primaryKey"`
	Role      Role
	CreatedAt Time `gorm:"autoCreateTime:false"`
}

// The bounds of a password: characters at least, bytes at most.
const (
	MinPassword      = 12
	MaxPasswordBytes = 1024
)

// AccountInput is a new account, as typed on the setup page or the command line.
type AccountInput struct {
	Name     string
	Email    string
	Password Secret
	Team     string
}

// Validate trims and checks the input, all but whether the password is a known
// one. Fields of the error: name, email, password, team.
func (in AccountInput) Validate() (AccountInput, error) {
	in, errs := in.ValidateWithoutPassword()
	if problem := CheckPasswordLength(in.Password); problem != "" {
		errs["password"] = problem
	}
	return in, errs.OrNil()
}

// ValidateWithoutPassword is Validate for an account whose owner sets the password later.
func (in AccountInput) ValidateWithoutPassword() (AccountInput, FieldErrors) {
	errs := FieldErrors{}
	set := func(field, problem string) {
		if problem != "" {
			errs[field] = problem
		}
	}
	var problem string
	in.Name, problem = CheckName(in.Name)
	set("name", problem)
	in.Team, problem = CheckName(in.Team)
	set("team", problem)
	in.Email, problem = CheckEmail(in.Email)
	set("email", problem)
	return in, errs
}

// CheckEmail is ParseEmail for the address of a new account or invitation. One of other
// than ASCII characters is refused: it can look like another, and has an ASCII form.
func CheckEmail(raw string) (email, problem string) {
	email, problem = ParseEmail(raw)
	if problem == "" && strings.IndexFunc(email, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		return "", "Use the letters a to z, and for a domain with others its form that begins with xn--. Look-alike letters are not taken."
	}
	return email, problem
}

// ParseEmail trims an address and checks its form. The second result is the
// sentence to show where it is not an address.
func ParseEmail(raw string) (email, problem string) {
	email = strings.TrimSpace(raw)
	if email == "" {
		return "", "Enter an email address."
	}
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 || strings.IndexFunc(email, forbiddenInName) >= 0 {
		return "", "Enter an email address such as ana@example.com."
	}
	return email, ""
}

// EmailKey is the form under which addresses are compared, whatever their case.
func EmailKey(email string) string { return FoldName(strings.TrimSpace(email)) }

// CheckPasswordLength returns the sentence to show for a password that is too
// short or too long, else an empty one.
func CheckPasswordLength(password Secret) string {
	value := password.Reveal()
	switch {
	case !utf8.ValidString(value):
		return "Use plain text: this holds bytes that are not characters."
	case utf8.RuneCountInString(value) < MinPassword:
		return "Use at least 12 characters."
	case len(value) > MaxPasswordBytes:
		return "Use at most 1,024 bytes."
	}
	return ""
}
