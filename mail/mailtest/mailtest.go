// Package mailtest gives tests a real SMTP server on this machine.
package mailtest

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/mail"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// What the server wants of who signs in.
const (
	User     = "latchkey"
	Password = "p@ss:word/+%7"
	From     = "Latchkey <latchkey@northwind.example>"
)

// Server takes mail and keeps it.
type Server struct {
	// Options, to be set before Start.
	TLS      bool // STARTTLS, or implicit TLS
	Implicit bool
	Name     string // whose name its certificate has; "127.0.0.1" if empty
	OldTLS   bool   // speaks TLS 1.1 at most
	Auth     bool
	// Answer, if set, decides about each recipient before anything of the mail is taken.
	Answer func(to string) error
	// After, if set, decides when the whole mail has come.
	After func(text string) error

	Addr string
	// CA is the certificate, in PEM, that the server's comes from.
	CA []byte

	server *smtp.Server
	listen net.Listener
	mu     sync.Mutex
	mails  []Mail
	came   chan struct{}
}

// Mail is what came.
type Mail struct {
	From, To string
	SignedIn bool
	TLS      bool
	Head     mail.Header
	// Text is the body, its transfer encoding undone.
	Text string
	// Raw is all of it as it came.
	Raw string
}

// Start listens on addr, "127.0.0.1:0" if empty, until the test ends.
func (s *Server) Start(t testing.TB, addr string) *Server {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = listener.Addr().String()
	if s.came == nil {
		s.came = make(chan struct{}, 10_000)
	}
	s.server = smtp.NewServer(smtp.BackendFunc(s.session))
	s.server.Domain, s.server.ErrorLog = "mail.northwind.example", log.New(io.Discard, "", 0)
	// go-smtp offers AUTH in the clear where this is set.
	s.server.AllowInsecureAuth = !s.TLS
	if s.TLS {
		s.server.TLSConfig = s.encryption(t)
	}
	if s.Implicit {
		listener = tls.NewListener(listener, s.server.TLSConfig)
		s.server.AllowInsecureAuth = true
	}
	s.listen = listener
	server := s.server
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(s.Stop)
	return s
}

// Stop ends it; Start may follow.
func (s *Server) Stop() {
	_ = s.listen.Close() // Serve may not have seen it yet
	_ = s.server.Close()
}

// URL is the setting that leads to it.
func (s *Server) URL() string {
	u := url.URL{Scheme: "smtp", Host: s.Addr, RawQuery: "from=" + url.PathEscape(From)}
	if s.Auth {
		u.User = url.UserPassword(User, Password)
	}
	switch {
	case s.Implicit:
		u.Scheme = "smtps"
	case s.TLS:
		u.RawQuery += "&starttls=required"
	}
	return u.String()
}

// Next waits for the next mail that nobody has asked for yet.
func (s *Server) Next(t testing.TB) Mail {
	t.Helper()
	select {
	case <-s.came:
	case <-time.After(20 * time.Second):
		t.Fatal("no mail came")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.mails[0]
	s.mails = s.mails[1:]
	return next
}

// None fails where a mail has come.
func (s *Server) None(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mails) > 0 {
		t.Errorf("a mail came: %q to %s", s.mails[0].Head.Get("Subject"), s.mails[0].To)
	}
}

func (s *Server) keep(m Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
	s.came <- struct{}{}
}
