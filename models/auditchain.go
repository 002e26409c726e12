package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"strconv"
	"strings"
)

// chainVersion says which fields a hash is over, and how they are written.
const chainVersion = 1

// ChainStart stands for the hash before the first event of a chain.
var ChainStart = strings.Repeat("0", 2*sha256.Size)

// Link gives the event its number and binds it to the one before it, by that one's hash.
func (e *AuditEvent) Link(seq int64, before string) {
	e.Seq, e.Version, e.Search = seq, chainVersion, e.words()
	e.Hash = e.sum(before)
}

// Follows tells whether the event is as it was stored, after the one with that hash.
func (e AuditEvent) Follows(before string) bool {
	return e.Version == chainVersion && e.Search == e.words() && e.Hash == e.sum(before)
}

// sum is SHA-256 over a name, the hash before and every field, each as a netstring
// ("4:text,"), so that no two events are written alike. docs/security.md describes it.
func (e AuditEvent) sum(before string) string {
	h := sha256.New()
	for _, field := range []string{
		"latchkey audit event", number(e.Version), before,
		e.TeamID, number(e.Seq), e.ID, number(int64(e.At)), e.ActorID, e.ActorName, string(e.ActorRole), string(e.Action),
		e.TargetType, e.TargetID, e.Target, e.ApplicationID, e.Detail, e.Changes, e.Address, e.UserAgent, e.RequestID,
	} {
		writeNetstring(h, field)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func writeNetstring(h hash.Hash, text string) {
	_, _ = h.Write([]byte(strconv.Itoa(len(text)) + ":" + text + ",")) // a hash takes all
}

// words are what a search finds: all that people read in the list and its details but the
// agent, which says nearly the same of everybody.
func (e AuditEvent) words() string {
	parts := []string{string(e.Action), e.Target, e.ActorName, e.Detail, e.Address, e.RequestID}
	for _, change := range e.Changed() {
		parts = append(parts, change.Field, change.Before, change.After)
	}
	return FoldName(strings.Join(parts, "\n"))
}

// Changed reads Changes. What is not written as it should be is not a change.
func (e AuditEvent) Changed() []AuditChange {
	if e.Changes == "" {
		return nil
	}
	var changes []AuditChange
	if err := json.Unmarshal([]byte(e.Changes), &changes); err != nil {
		return nil
	}
	return changes
}

// The settings of which AuditEntriesDeleted says what they were and are.
const (
	ChainBegins      = "First entry kept"
	ChainBeginsAfter = "Hash of the entry before it"
)

// Beginning is where the chain begins by an event of the retention job: the first event
// that was kept and the hash of the one before it.
func (e AuditEvent) Beginning() (first int64, before string, ok bool) {
	if e.Action != AuditEntriesDeleted {
		return 0, "", false
	}
	for _, change := range e.Changed() {
		switch change.Field {
		case ChainBegins:
			first, _ = strconv.ParseInt(change.After, 10, 64)
		case ChainBeginsAfter:
			before = change.After
		}
	}
	return first, before, first > 0 && before != ""
}

// AuditChain is the two ends of a team's chain.
type AuditChain struct {
	TeamID string
	// FirstSeq is the first event that is kept, BeforeHash the hash of the one before it.
	FirstSeq   int64
	BeforeHash string
	LastSeq    int64
	LastHash   string
}

// Head names the last event and its hash, to be kept elsewhere. A chain without events has none.
func (c AuditChain) Head() AuditHead { return AuditHead{Seq: c.LastSeq, Hash: c.LastHash} }

// Kept is how many events there are.
func (c AuditChain) Kept() int64 { return max(c.LastSeq-c.FirstSeq+1, 0) }

// AuditHead is an event as it is noted outside of the database.
type AuditHead struct {
	Seq  int64
	Hash string
}

// String is the form that pages and commands show: number, colon, hash.
func (h AuditHead) String() string { return number(h.Seq) + ":" + h.Hash }

// ParseAuditHead reads what String wrote.
func ParseAuditHead(text string) (head AuditHead, ok bool) {
	seq, sum, found := strings.Cut(strings.ToLower(strings.TrimSpace(text)), ":")
	n, err := strconv.ParseInt(seq, 10, 64)
	raw, bad := hex.DecodeString(sum)
	if !found || err != nil || n < 1 || bad != nil || len(raw) != sha256.Size {
		return AuditHead{}, false
	}
	return AuditHead{Seq: n, Hash: sum}, true
}

// BreakKind is what happened to a chain.
type BreakKind string

// The ways in which a chain can be broken.
const (
	BreakChanged  BreakKind = "was changed"
	BreakRemoved  BreakKind = "was removed"
	BreakInserted BreakKind = "was inserted"
	// BreakRewritten: the event that was noted elsewhere has another hash now.
	BreakRewritten BreakKind = "is not the one whose hash was kept"
)

// ChainBreak names the first event that is not as it was stored. Event is empty for one
// that was removed.
type ChainBreak struct {
	Kind  BreakKind
	Seq   int64
	Event AuditEvent
}

// ChainVerdict is what came of checking a chain. Break is nil where it holds.
type ChainVerdict struct {
	AuditChain
	Break *ChainBreak
}

// BreakAt says what happened where event does not follow the one with that hash. next is
// the event after it, nil where there is none: if it, or what follows it, fits once it has
// its number back, others were moved.
func BreakAt(event AuditEvent, before string, next *AuditEvent) *ChainBreak {
	broken := &ChainBreak{Kind: BreakChanged, Seq: event.Seq, Event: event}
	if next == nil {
		return broken
	}
	earlier, later := *next, *next
	earlier.Seq--
	later.Seq++
	if earlier.Follows(before) {
		broken.Kind = BreakInserted
	} else if later.Follows(event.Hash) {
		broken.Kind, broken.Event = BreakRemoved, AuditEvent{}
	}
	return broken
}
