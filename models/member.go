package models

// MemberRow is a member as the Team page lists them.
type MemberRow struct {
	Member       `gorm:"embedded"`
	Name         string
	Email        string
	SecondFactor bool
	LastSeenAt   Time
}

// Membership is a team that a person is in.
type Membership struct {
	UserID      string
	TeamID      string
	TeamName    string
	Role        Role
	SuspendedAt Time
	// SuspendedReason is what the operator wrote to the members, empty for nothing.
	SuspendedReason string
	// OnlyOwner tells that the team has no other owner who may sign in; lists of
	// operators have it.
	OnlyOwner bool
}

// MaxSeen is how many values the list of what somebody has seen shows at once.
const MaxSeen = 100

// Seen is a value that still works and that one person knows, or could have known: a
// token or client secret that was shown to them, a token that they generated, or a
// public key that they added.
type Seen struct {
	Type          SightedType
	ID            string
	ApplicationID string
	AppName       string
	// Name is a key's or a token's, which is often empty.
	Name string
	// Last4 is empty for a key, Description for all else.
	Last4       string
	Description string
	// ExpiresAt is zero for a current client secret and for a key.
	ExpiresAt Time
	// Times and LastAt are zero for a token that was generated and never shown. For a key
	// LastAt is when it was added.
	Times  int64
	LastAt Time
	// OnlyWay tells of a key that its application has no secret, and no key of anybody else.
	OnlyWay bool
}

// SeenList is what one person knows of a team. Total counts what is not shown too.
type SeenList struct {
	UserID string
	Name   string
	// Member tells that the person is in the team now.
	Member bool
	Rows   []Seen
	Total  int64
}

// FormerMember is somebody who has left a team and knows values that still work.
type FormerMember struct {
	UserID string
	Name   string
	Email  string
	// Known is how many.
	Known int64
}
