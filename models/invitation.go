package models

import (
	"slices"
	"time"
)

const (
	// InvitationLife is how long an invitation link works.
	InvitationLife = 7 * 24 * time.Hour
	// MaxInvitations is how many invitations of a team may be pending.
	MaxInvitations = 50
	// MaxMembers is how many members a team may have.
	MaxMembers = 200
	// MaxTeams is how many teams a person may be in.
	MaxTeams = 20
)

// LastOwner is said to whoever would leave a team without one.
const LastOwner = "A team needs at least one owner. Make someone else an owner first."

// Invitation lets the person with one address join a team in one role, once.
type Invitation struct {
	ID       string `gorm:"primaryKey"`
	TeamID   string
	Email    string
	EmailKey string
	Role     Role
	// CodeHash is the SHA-256 of the code in the link, and Sealed the code itself, so
	// that owners can copy the link again.
	CodeHash  []byte
	Sealed    []byte
	CreatedAt Time `gorm:"autoCreateTime:false"`
	CreatedBy string
	ExpiresAt Time
}

// InvitationRow is a pending invitation as the team sees it. Sealed and CodeHash are not loaded.
type InvitationRow struct {
	Invitation    `gorm:"embedded"`
	CreatedByName string
}

// OpenInvitation is an invitation as its link shows it.
type OpenInvitation struct {
	Invitation    `gorm:"embedded"`
	TeamName      string
	InvitedByName string
}

// InvitationInput is what the form Invite Member holds, as typed.
type InvitationInput struct {
	Email string
	Role  string
}

// Validate checks the input. Fields of the error: email, role.
func (in InvitationInput) Validate() (Invitation, error) {
	errs := FieldErrors{}
	email, problem := CheckEmail(in.Email)
	if problem != "" {
		errs["email"] = problem
	}
	role, problem := CheckRole(in.Role)
	if problem != "" {
		errs["role"] = problem
	}
	return Invitation{Email: email, EmailKey: EmailKey(email), Role: role}, errs.OrNil()
}

// CheckRole reads a role. The second result is the sentence to show where it is none.
func CheckRole(raw string) (role Role, problem string) {
	if !slices.Contains(Roles, Role(raw)) {
		return "", "Choose one of the roles shown."
	}
	return Role(raw), ""
}
