package mail

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// attempt is one try to hand a message over, on a connection of its own.
type attempt struct {
	*Mailer
	// whole bounds all of it: the library bounds its steps alone.
	whole context.Context
	conn  net.Conn
	// signingIn tells that the user and the password were sent.
	signingIn bool
}

// try hands a message to the server. Its error is a *failure, or what is wrong with
// the message.
func (m *Mailer) try(ctx context.Context, message Message) (said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.pace.whole)
	defer cancel()
	letter, err := m.compose(message)
	if err != nil {
		return "", &failure{stage: "the mail could not be written", final: true}
	}
	a := &attempt{Mailer: m, whole: ctx}
	client, err := gomail.NewClient(m.server.Host, a.options()...)
	if err != nil {
		return "", &failure{stage: "the mail server's settings are not usable", final: true}
	}
	defer a.close()
	err = client.DialAndSendWithContext(ctx, letter)
	// What comes after the server took it does not matter to it.
	if letter.IsDelivered() {
		return a.clean(letter.ServerResponse()), nil
	}
	return "", a.failed(err)
}

// close is for what the library leaves open where the server refuses us.
func (a *attempt) close() {
	if a.conn != nil {
		_ = a.conn.Close() // it is gone either way
	}
}

func (a *attempt) options() []gomail.Option {
	options := []gomail.Option{
		gomail.WithPort(a.server.Port), gomail.WithTimeout(a.pace.step),
		gomail.WithTLSConfig(a.tls()), gomail.WithDialContextFunc(a.dial),
		gomail.WithTLSPolicy(gomail.TLSMandatory),
	}
	switch a.server.Security {
	case Clear:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	case ImplicitTLS:
		options = append(options, gomail.WithSSL())
	}
	if a.server.User != "" {
		options = append(options, gomail.WithSMTPAuthCustom(&signIn{attempt: a}))
	}
	return options
}

func (a *attempt) tls() *tls.Config {
	return &tls.Config{ServerName: a.server.Host, MinVersion: tls.VersionTLS12, RootCAs: a.server.CAs}
}

var errNotLoopback = errors.New("the name of the mail server leads off this machine, where nothing goes out without TLS")

func (a *attempt) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: a.pace.step}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	a.conn = conn
	context.AfterFunc(a.whole, func() { _ = conn.Close() }) //nolint:contextcheck // ctx ends with the dialling
	if a.server.Security == Clear {
		host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
		if !onLoopback(host) {
			return nil, errNotLoopback
		}
	}
	if a.server.Security != ImplicitTLS {
		return conn, nil
	}
	secured := tls.Client(conn, a.tls())
	return secured, secured.HandshakeContext(ctx)
}

// compose writes the mail. Its ID is of the sender's domain: the name of this host is
// nobody's business.
func (m *Mailer) compose(message Message) (*gomail.Msg, error) {
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	letter.FromMailAddress(&m.server.From)
	if err := letter.To(message.To); err != nil {
		return nil, err
	}
	letter.Subject(message.Subject)
	letter.SetDateWithValue(m.now())
	_, domain, _ := strings.Cut(m.server.From.Address, "@")
	letter.SetMessageIDWithValue(rand.Text() + "@" + domain)
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(gomail.TypeTextPlain, message.Text.Reveal())
	return letter, nil
}
