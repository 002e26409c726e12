package models

import (
	"slices"
	"strings"
	"time"
)

// The kinds of keys in a key file.
const (
	KeySeal    = "seal"
	KeySession = "session"
)

// KeyState is a key that nothing may be sealed or signed with any more.
type KeyState struct {
	Kind, Name string
	// Prefix is what values begin with that it sealed, empty for a session key.
	Prefix   []byte
	ClosedAt Time
	// RetiredAt is since when nothing depends on it; zero while something does.
	RetiredAt Time
}

// KeyNode is a process that serves, and the keys that it has read. Names of keys are
// separated by spaces.
type KeyNode struct {
	ID   string `gorm:"primaryKey"`
	Name string
	// Seal are the keys by which it opens values, Sealing the one by which it seals.
	Seal, Sealing string
	// Sessions are the keys by which it verifies cookies; the first one signs.
	Sessions string
	// Since is when it had read these.
	Since  Time
	SeenAt Time
}

// KeyNodeGone is how long a node counts as one that runs after it was heard of.
const KeyNodeGone = 3 * time.Minute

// Opens tells whether the node can open what the named key sealed.
func (n KeyNode) Opens(key string) bool { return slices.Contains(strings.Fields(n.Seal), key) }

// SealedValue is one of a table, known by its row's ID.
type SealedValue struct {
	ID     string
	Sealed []byte
	// Anew is what it is replaced by.
	Anew []byte `gorm:"-"`
}

// KeyUse is what still depends on a key from before.
type KeyUse struct {
	// Values are sealed with it.
	Values int64
	// Steps are sign-ins and the like under way that began before the key was closed,
	// Sessions those that did.
	Steps, Sessions int64
}

// None tells whether nothing depends on the key.
func (u KeyUse) None() bool { return u == KeyUse{} }
