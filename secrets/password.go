package secrets

import (
	"context"
	"errors"

	"golang.org/x/crypto/argon2"

	"github.com/latchkey/latchkey/models"
)

// current is what new hashes are made with: OWASP's first choice. Raising it
// makes NeedsRehash true for all hashes stored before.
var current = argonParams{memory: 19 * 1024, time: 2, threads: 1}

// cheap is what tests make hashes with that are not about passwords.
var cheap = argonParams{memory: 64, time: 1, threads: 1}

const (
	saltBytes = 16
	keyBytes  = 32
)

// Passwords hashes and verifies passwords, a few at a time: each takes 19 MiB and
// some tens of milliseconds. It is safe for concurrent use. Callers limit the
// waiting by their context.
type Passwords struct {
	slots  chan struct{}
	params argonParams
	dummy  argonHash
}

// NewPasswords lets at most parallel hashes be computed at once, at least one.
func NewPasswords(parallel int) *Passwords {
	return newPasswords(parallel, current)
}

// NewCheapPasswords is for tests alone, which sign in all the time: whoever reads its
// hashes can find their passwords.
func NewCheapPasswords(parallel int) *Passwords {
	return newPasswords(parallel, cheap)
}

func newPasswords(parallel int, params argonParams) *Passwords {
	return &Passwords{
		slots: make(chan struct{}, max(parallel, 1)), params: params,
		dummy: argonHash{params: params, salt: randomBytes(saltBytes), key: randomBytes(keyBytes)},
	}
}

// Hash returns the hash to store for password, exactly as typed. Errors are
// models.ErrBusy where ctx ended while waiting, and one for a password over
// models.MaxPasswordBytes, which a caller has refused before.
func (p *Passwords) Hash(ctx context.Context, password models.Secret) (string, error) {
	value := password.Reveal()
	if len(value) > models.MaxPasswordBytes {
		return "", errors.New("password is too long to be hashed")
	}
	hash := argonHash{params: p.params, salt: randomBytes(saltBytes)}
	key, err := p.derive(ctx, value, hash)
	if err != nil {
		return "", err
	}
	hash.key = key
	return hash.String(), nil
}

// Verify tells whether hash was made of password. An empty hash stands for a user
// that does not exist, and like an over-long password it costs the same work
// before the answer is false. Errors are models.ErrBusy where ctx ended while
// waiting, and one for a stored hash that cannot be read; ok is then false.
func (p *Passwords) Verify(ctx context.Context, hash string, password models.Secret) (ok bool, err error) {
	stored, possible := p.dummy, false
	if hash != "" {
		stored, err = parseHash(hash)
		possible = err == nil
	}
	if err != nil {
		stored = p.dummy
	}
	value := password.Reveal()
	if len(value) > models.MaxPasswordBytes {
		value, possible = value[:models.MaxPasswordBytes], false
	}
	key, busy := p.derive(ctx, value, stored)
	if busy != nil {
		return false, busy
	}
	return Equal(key, stored.key) && possible, err
}

// NeedsRehash tells whether hash was made with other parameters than today's, so
// that it is made anew when its password is next at hand.
func (p *Passwords) NeedsRehash(hash string) bool {
	stored, err := parseHash(hash)
	return err != nil || stored.params != p.params || len(stored.salt) != saltBytes
}

// derive waits for a slot as long as ctx lives. Once begun, a hash is finished.
func (p *Passwords) derive(ctx context.Context, value string, hash argonHash) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, models.ErrBusy
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, models.ErrBusy
	}
	defer func() { <-p.slots }()
	with := hash.params
	return argon2.IDKey([]byte(value), hash.salt, with.time, with.memory, with.threads, keyBytes), nil
}
