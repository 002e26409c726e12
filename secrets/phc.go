package secrets

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The bounds within which a stored hash is believed. Whoever can write to the
// database could otherwise make a sign-in take all memory, or a day.
const (
	maxMemory   = 128 * 1024 // KiB
	maxTime     = 8
	maxThreads  = 4
	minSalt     = 8 // bytes
	maxSalt     = 64
	maxHashText = 256
)

var errHash = errors.New("stored password hash cannot be read")

type argonParams struct {
	memory, time uint32
	threads      uint8
}

type argonHash struct {
	params    argonParams
	salt, key []byte
}

// String writes the hash in PHC form: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (h argonHash) String() string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, h.params.memory, h.params.time, h.params.threads, encode(h.salt), encode(h.key))
}

// parseHash reads what String writes and nothing else. The only error is errHash.
func parseHash(text string) (argonHash, error) {
	parts := strings.Split(text, "$")
	if len(text) > maxHashText || len(parts) != 6 {
		return argonHash{}, errHash
	}
	params, ok := parseParams(parts[3])
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if !ok || saltErr != nil || keyErr != nil || len(salt) < minSalt || len(salt) > maxSalt || len(key) != keyBytes {
		return argonHash{}, errHash
	}
	hash := argonHash{params: params, salt: salt, key: key}
	if hash.String() != text {
		return argonHash{}, errHash
	}
	return hash, nil
}

func parseParams(text string) (argonParams, bool) {
	fields := strings.Split(text, ",")
	if len(fields) != 3 {
		return argonParams{}, false
	}
	memory := parseParam(fields[0], "m=", maxMemory)
	time := parseParam(fields[1], "t=", maxTime)
	threads := parseParam(fields[2], "p=", maxThreads)
	params := argonParams{memory: memory, time: time, threads: uint8(threads)} //nolint:gosec // at most maxThreads
	return params, time > 0 && threads > 0 && memory >= 8*threads
}

// parseParam returns 0, which is no valid parameter, for what it refuses.
func parseParam(field, name string, highest uint32) uint32 {
	digits, ok := strings.CutPrefix(field, name)
	value, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || value > uint64(highest) {
		return 0
	}
	return uint32(value)
}
