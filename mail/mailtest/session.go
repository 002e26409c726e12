package mailtest

import (
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	return &session{on: s, conn: c}, nil
}

// session is one connection.
type session struct {
	on   *Server
	conn *smtp.Conn
	mail Mail
}

func (s *session) AuthMechanisms() []string {
	if s.on.Auth {
		return []string{sasl.Plain}
	}
	return nil
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != User || password != Password {
			return smtp.ErrAuthFailed
		}
		s.mail.SignedIn = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.on.Auth && !s.mail.SignedIn {
		return smtp.ErrAuthRequired
	}
	_, secured := s.conn.TLSConnectionState()
	s.mail.From, s.mail.TLS = from, secured
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = to
	if s.on.Answer == nil {
		return nil
	}
	return s.on.Answer(to)
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := s.mail
	m.Raw = string(raw)
	letter, err := mail.ReadMessage(strings.NewReader(m.Raw))
	if err != nil {
		return err
	}
	m.Head = letter.Header
	if letter.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
		return errors.New("another encoding")
	}
	text, err := io.ReadAll(quotedprintable.NewReader(letter.Body))
	if err != nil {
		return err
	}
	m.Text = strings.ReplaceAll(string(text), "\r\n", "\n")
	if s.on.After != nil {
		if err := s.on.After(m.Text); err != nil {
			return err
		}
	}
	s.on.keep(m)
	return nil
}

func (s *session) Reset() { s.mail = Mail{SignedIn: s.mail.SignedIn} }

func (s *session) Logout() error { return nil }

// Subject is that of the mail, decoded.
func (m Mail) Subject() string {
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Head.Get("Subject"))
	if err != nil {
		return err.Error()
	}
	return subject
}
