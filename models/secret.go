package models

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[secret]"

// Secret carries a plaintext value (token, client secret, password, code) from
// where it is made to the one answer that may hold it. It cannot be printed,
// logged, marshalled or put into a template by accident: only Reveal gives the
// value. The zero Secret is empty.
type Secret struct{ reveal func() string }

// NewSecret wraps value.
func NewSecret(value string) Secret {
	return Secret{reveal: func() string { return value }}
}

// Reveal returns the plaintext. Each call is a place to look at in review.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsEmpty tells whether there is nothing inside.
func (s Secret) IsEmpty() bool { return s.Reveal() == "" }

// Last4 returns the last four characters, by which lists name a value.
// It is empty for values too short to give four characters away.
func (s Secret) Last4() string {
	v := s.Reveal()
	if len(v) < 16 {
		return ""
	}
	return v[len(v)-4:]
}

// Format implements fmt.Formatter, so that no verb prints the value.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, which JSON and XML use.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
