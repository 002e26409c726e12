package secrets

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keys are the keys of one key file, as it was read last. They are safe for concurrent
// use and print as nothing.
type Keys struct{ ring atomic.Pointer[ring] }

// ring is what one reading of the file gave. It is never changed.
type ring struct {
	aead     tink.AEAD
	sessions [][]byte
	names    KeyNames
	version  uint64
}

// Format implements fmt.Formatter, so that no verb prints a key.
func (*Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[keys]") }

// SessionKeys returns the keys that sign session cookies, 32 bytes each, the one that signs
// new ones first. The caller owns the copy.
func (k *Keys) SessionKeys() [][]byte {
	ring := k.ring.Load()
	keys := make([][]byte, len(ring.sessions))
	for i, key := range ring.sessions {
		keys[i] = append([]byte(nil), key...)
	}
	return keys
}

// Version changes with each Replace.
func (k *Keys) Version() uint64 { return k.ring.Load().version }

// Replace takes the keys of another reading: whoever holds k opens and seals with those from
// now on. It is for one goroutine at a time.
func (k *Keys) Replace(with *Keys) {
	next := *with.ring.Load()
	next.version = k.Version() + 1
	k.ring.Store(&next)
}

// Names returns the names of the keys.
func (k *Keys) Names() KeyNames { return k.ring.Load().names }

// KeyNames are the names of the keys of one file. They are no secret.
type KeyNames struct {
	// Seal are the sealing keys in the order in which they were added, Sealing the one that
	// seals; all of them open.
	Seal    []string
	Sealing string
	// Sessions are the keys of cookies. The first one signs, all verify.
	Sessions []string
}

// Next is the sealing key that was added and does not seal yet, empty where there is none.
func (n KeyNames) Next() string {
	last := n.Seal[len(n.Seal)-1]
	if last == n.Sealing {
		return ""
	}
	return last
}

// Old are the sealing keys from before the one that seals.
func (n KeyNames) Old() []string { return n.Seal[:slices.Index(n.Seal, n.Sealing)] }

// OldSessions are the keys that cookies from before were signed with.
func (n KeyNames) OldSessions() []string {
	if n.Next() != "" {
		return nil // the last of them is newer, and others are looked at when it signs
	}
	return n.Sessions[1:]
}

// Equal tells whether both name the same keys in the same parts.
func (n KeyNames) Equal(other KeyNames) bool {
	return n.Sealing == other.Sealing && slices.Equal(n.Seal, other.Seal) && slices.Equal(n.Sessions, other.Sessions)
}

func sealName(id uint32) string { return fmt.Sprintf("%08x", id) }

// Prefixes are what the values begin with that these keys open.
func (k *Keys) Prefixes() [][]byte {
	var all [][]byte
	for _, name := range k.Names().Seal {
		all = append(all, SealPrefix(name))
	}
	return all
}

// SealPrefix is what each value begins with that the named key sealed.
func SealPrefix(name string) []byte {
	id, err := hex.DecodeString(name)
	if err != nil || len(id) != 4 {
		return nil
	}
	// Tink's output prefix: a version and the key's ID.
	return binary.BigEndian.AppendUint32([]byte{1}, binary.BigEndian.Uint32(id))
}
