// Package secrets owns all cryptography but TLS: the key file and sealing under
// it, password hashes and rules, random values and their hashes. Primitives come
// from the standard library, x/crypto and Tink. It keeps no state of its own
// between calls, reads no setting and has no clock; what it makes is stored by
// others.
package secrets
