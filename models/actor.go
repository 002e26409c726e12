package models

// Role is what a member is in a team.
type Role string

// The roles, from most to least.
const (
	RoleOwner     Role = "owner"
	RoleDeveloper Role = "developer"
	RoleViewer    Role = "viewer"
)

// Roles lists every role.
var Roles = []Role{RoleOwner, RoleDeveloper, RoleViewer}

// Permission names what a route or button lets a member do.
type Permission string

// The permissions. Which role has which stands in May, and nowhere else.
const (
	// MayView sees lists, names, masks and times; never a value.
	MayView Permission = "view"
	// MayManage creates, changes, revokes and deletes applications and tokens.
	MayManage Permission = "manage"
	// MayReveal sees the values of tokens and client secrets.
	MayReveal Permission = "reveal"
	// MayOwn changes members and the team itself.
	MayOwn Permission = "own"
)

// May tells whether the role has the permission. An unknown role has none.
func (r Role) May(p Permission) bool {
	switch r {
	case RoleOwner:
		return p == MayView || p == MayManage || p == MayReveal || p == MayOwn
	case RoleDeveloper:
		return p == MayView || p == MayManage || p == MayReveal
	case RoleViewer:
		return p == MayView
	}
	return false
}

// Title is the role as pages write it: Owner, Developer, Viewer.
func (r Role) Title() string {
	switch r {
	case RoleOwner:
		return "Owner"
	case RoleDeveloper:
		return "Developer"
	case RoleViewer:
		return "Viewer"
	case RoleOperator:
		return "Operator"
	}
	return "No role"
}

// Actor is who does something: a member in one team at one moment, or the
// command line. Every change in package store takes one, and its audit event
// is written from it.
type Actor struct {
	UserID   string
	UserName string
	Email    string
	TeamID   string
	TeamName string
	Role     Role
	Operator bool
	// Teams counts the teams that the user is in, suspended ones too.
	Teams int64
	// TimeZone is the one that the person chose, an IANA name; empty is UTC.
	TimeZone string
	// SecondFactor tells that the person has one, RequiresSecondFactor that the team wants it.
	SecondFactor, RequiresSecondFactor bool
	// Address is the client's IP address, empty on the command line.
	Address string
	// UserAgent is what the client calls itself, cut to 200 bytes.
	UserAgent string
	RequestID string
}

// CommandLine is the actor of sub-commands: a shell on the host is operator power.
var CommandLine = Actor{UserName: "Command line", Operator: true}

// Shop is the actor of points that a shop reports: it has proved itself by its signature.
var Shop = Actor{UserName: "Shop"}
