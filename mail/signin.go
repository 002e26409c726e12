package mail

import (
	"errors"
	"slices"

	"github.com/wneessen/go-mail/smtp"
)

var errNoMechanism = errors.New("the mail server offers none of SCRAM-SHA-256, PLAIN and LOGIN to sign in with")

// signIn signs in by the best of the mechanisms that need no weak hash.
type signIn struct {
	*attempt
	chosen smtp.Auth
}

// Start implements smtp.Auth.
func (s *signIn) Start(server *smtp.ServerInfo) (proto string, toServer []byte, err error) {
	user, password, host := s.server.User, s.server.Password.Reveal(), s.server.Host
	// Without TLS the connection is to this machine: see attempt.dial.
	inClear := s.server.Security == Clear
	switch {
	case slices.Contains(server.Auth, "SCRAM-SHA-256"):
		s.chosen = smtp.ScramSHA256Auth(user, password)
	case slices.Contains(server.Auth, "PLAIN"):
		s.chosen = smtp.PlainAuth("", user, password, host, inClear)
	case slices.Contains(server.Auth, "LOGIN"):
		s.chosen = smtp.LoginAuth(user, password, host, inClear)
	default:
		return "", nil, errNoMechanism
	}
	s.signingIn = true
	return s.chosen.Start(server)
}

// Next implements smtp.Auth.
func (s *signIn) Next(fromServer []byte, more bool) ([]byte, error) {
	toServer, err := s.chosen.Next(fromServer, more)
	if !more && err == nil {
		s.signingIn = false
	}
	return toServer, err
}
