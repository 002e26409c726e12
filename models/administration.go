package models

import (
	"strings"
	"time"
	"unicode/utf8"
)

// RoleOperator is no role in a team: it stands in audit events of what operators did
// as such.
const RoleOperator Role = "operator"

// CeremonySetup is the address that makes the first account.
const CeremonySetup CeremonyKind = "setup"

// SetupCodeLives is how long that address works: a start prints another.
const SetupCodeLives = 24 * time.Hour

// CeremonyReset is a link that sets a password.
const CeremonyReset CeremonyKind = "reset"

// How long a link that sets a password works. One for an account that has never had a
// password takes nothing over, so it waits like an invitation.
const (
	ResetLinkLives = time.Hour
	FirstLinkLives = 7 * 24 * time.Hour
)

// MaxReason is the longest reason for suspending a team, in characters.
const MaxReason = 200

// ListQuery chooses one page of a list of operators. Page counts from 1.
type ListQuery struct {
	Search string
	Page   int
}

// TeamRow is a team as operators see it.
type TeamRow struct {
	Team `gorm:"embedded"`
	// Members and Applications count.
	Members, Applications int64
	// PlanName is empty where the team has no plan.
	PlanName string
}

// TeamList is one page of the teams. Total counts every match.
type TeamList struct {
	Rows  []TeamRow
	Total int64
}

// UserRow is a user as operators see it, without anything secret.
type UserRow struct {
	ID           string
	Name         string
	Email        string
	Operator     bool
	SecondFactor bool
	HasPassword  bool
	CreatedAt    Time
	DisabledAt   Time
	LastSeenAt   Time
	Teams        []Membership `gorm:"-"`
	// Sessions counts those that are open; only the user's own page has it.
	Sessions int64
}

// FirstLink tells that the account has never been used and has no password.
func (u UserRow) FirstLink() bool { return !u.HasPassword && u.LastSeenAt.IsZero() }

// LinkLives is how long a link lives that an operator makes for the user.
func (u UserRow) LinkLives() time.Duration {
	if u.FirstLink() {
		return FirstLinkLives
	}
	return ResetLinkLives
}

// UserList is one page of the users. Total counts every match.
type UserList struct {
	Rows  []UserRow
	Total int64
}

// TeamInput is a new team with its first owner, as an operator types it.
type TeamInput struct{ Team, Name, Email string }

// Validate trims and checks the input. Fields of the error: team, name, email.
func (in TeamInput) Validate() (TeamInput, error) {
	errs := FieldErrors{}
	var problems [3]string
	in.Team, problems[0] = CheckName(in.Team)
	in.Name, problems[1] = CheckName(in.Name)
	in.Email, problems[2] = CheckEmail(in.Email)
	for i, field := range []string{"team", "name", "email"} {
		if problems[i] != "" {
			errs[field] = problems[i]
		}
	}
	return in, errs.OrNil()
}

// CheckReason trims and checks a reason, which may be empty. The second result is the
// sentence to show where it is not one.
func CheckReason(raw string) (reason, problem string) {
	reason = strings.TrimSpace(raw)
	switch {
	case !utf8.ValidString(reason):
		return "", "Use plain text: this holds bytes that are not characters."
	case strings.IndexFunc(reason, forbiddenInName) >= 0:
		return "", "Write one line, without control and text-direction characters."
	case utf8.RuneCountInString(reason) > MaxReason:
		return "", "Use at most 200 characters."
	}
	return reason, ""
}
