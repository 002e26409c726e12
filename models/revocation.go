package models

import (
	"strconv"
	"strings"
)

// Position is a place in the feed of revocations.
type Position struct {
	// Seq grows by one with each entry.
	Seq int64
	// Mark tells an entry from another one that had the number before the database was restored.
	Mark string
}

// String is what ParsePosition reads.
func (p Position) String() string { return strconv.FormatInt(p.Seq, 10) + "." + p.Mark }

// ParsePosition reads what String wrote.
func ParsePosition(text string) (Position, bool) {
	number, mark, _ := strings.Cut(text, ".")
	seq, err := strconv.ParseInt(number, 10, 64)
	p := Position{Seq: seq, Mark: mark}
	return p, err == nil && seq >= 0 && mark != "" && len(text) <= maxPosition && p.String() == text
}

const maxPosition = 64

// Revocation is an entry of the feed: what a resource server has to forget. It names a
// token, an application with all its tokens, or a team with all its applications.
type Revocation struct {
	Position      `gorm:"embedded"`
	At            Time
	TokenID       string
	TokenHash     []byte
	ApplicationID string
	TeamID        string
}
