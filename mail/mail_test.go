package mail_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/mail/mailtest"
	"github.com/latchkey/latchkey/models"
)

const link = "https://latchkey.northwind.example/reset?code=canary-of-a-link"

func message(to string) mail.Message {
	return mail.Message{To: to, Subject: "Set a new password", Text: models.NewSecret("Open this within the hour:\n\n" + link + "\n\nGrüße, 🔑\n.\nthe end\n")}
}

// diary is a log that tests read.
type diary struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.Write(p)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.String()
}

func (d *diary) log() *slog.Logger { return slog.New(slog.NewTextHandler(d, nil)) }

// wait waits until the log holds all of parts.
func (d *diary) wait(t *testing.T, parts ...string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		missing := ""
		for _, part := range parts {
			if !strings.Contains(d.String(), part) {
				missing = part
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %q in the log:\n%s", missing, d)
		}
	}
}

// A2: no log names the link, the text or the password.
func (d *diary) discreet(t *testing.T) {
	t.Helper()
	for _, canary := range []string{"canary", mailtest.Password, "cEBzc", "Grüße"} {
		if strings.Contains(d.String(), canary) {
			t.Errorf("the log holds %q:\n%s", canary, d)
		}
	}
}

func serverOf(t *testing.T, s *mailtest.Server) mail.Server {
	t.Helper()
	server, problem := mail.ParseServer(s.URL())
	if problem != "" {
		t.Fatal(problem)
	}
	if s.TLS {
		var ok bool
		if server.CAs, ok = mail.ParseCAs(s.CA); !ok {
			t.Fatal("no CA")
		}
	}
	return server
}

func open(t *testing.T, server mail.Server, d *diary, change ...func(waiting *int, step, longest *time.Duration)) *mail.Mailer {
	t.Helper()
	m := mail.Quick(t.Context(), server, d.log(), change...)
	t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
		d.discreet(t)
	})
	return m
}

func TestWithoutAServerNothingGoesOut(t *testing.T) {
	for _, m := range []*mail.Mailer{{}, mail.New(t.Context(), mail.Server{}, slog.New(slog.DiscardHandler), time.Now)} {
		if m.Enabled() {
			t.Error("enabled")
		}
		m.Send(message("ana@northwind.example"))
		if _, err := m.Try(t.Context(), message("ana@northwind.example")); err == nil {
			t.Error("sent")
		}
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// G8, C2: text mail, with TLS and a user where the setting says so.
func TestMailArrives(t *testing.T) {
	for name, s := range map[string]*mailtest.Server{
		"in the clear on this machine": {}, "with a user in the clear": {Auth: true}, "STARTTLS": {TLS: true, Auth: true}, "TLS": {TLS: true, Implicit: true, Auth: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.Start(t, "")
			var d diary
			m := open(t, serverOf(t, s), &d)
			began := time.Now()
			m.Send(message("ana@northwind.example"))
			if took := time.Since(began); took > 100*time.Millisecond {
				t.Errorf("Send took %s", took)
			}
			got := s.Next(t)
			if got.To != "ana@northwind.example" || got.From != "latchkey@northwind.example" || got.TLS != s.TLS || got.SignedIn != s.Auth {
				t.Errorf("%+v", got)
			}
			if want := message("").Text.Reveal(); got.Text != want {
				t.Errorf("%q", got.Text)
			}
			head := got.Head
			if got.Subject() != "Set a new password" || head.Get("To") != "<ana@northwind.example>" || head.Get("From") != `"Latchkey" <latchkey@northwind.example>` ||
				!strings.HasPrefix(head.Get("Content-Type"), "text/plain; charset=UTF-8") || head.Get("Auto-Submitted") != "auto-generated" || head.Get("User-Agent") != "" || head.Get("X-Mailer") != "" {
				t.Errorf("%v", head)
			}
			if at, err := head.Date(); err != nil || time.Since(at).Abs() > time.Minute {
				t.Errorf("date %v %v", at, err)
			}
			if id := head.Get("Message-Id"); !strings.HasSuffix(id, "@northwind.example>") || len(id) < 30 {
				t.Errorf("ID %q", id)
			}
			d.wait(t, `msg="mail sent" to=ana@northwind.example subject="Set a new password" tries=1`)
		})
	}
}

// G8: nothing adds a field or a recipient.
func TestInjection(t *testing.T) {
	s := (&mailtest.Server{}).Start(t, "")
	var d diary
	m := open(t, serverOf(t, s), &d)
	for _, bad := range []mail.Message{
		{To: "ana@northwind.example\r\nBcc: eve@example.com", Subject: "x"}, {To: "ana@northwind.example", Subject: "x\r\nBcc: eve@example.com"},
		{To: "ana@northwind.example", Subject: "x\nBcc: eve@example.com"}, {To: "ana@northwind.example", Subject: "x\rBcc: eve@example.com"},
		{To: "ana@northwind.example, eve@example.com", Subject: "x"}, {To: "Ana <ana@northwind.example>", Subject: "x"}, {To: "", Subject: "x"},
		{To: "ana@northwind.example> SIZE=1", Subject: "x"}, {To: "ana@northwind.example", Subject: "x\x00"},
	} {
		m.Send(bad)
		if _, err := m.Try(t.Context(), bad); err == nil {
			t.Errorf("%q was sent", bad)
		}
	}
	m.Send(mail.Message{To: "ana@northwind.example", Subject: "Équipe =?utf-8?q?x=0D=0ABcc:_eve?= 🔑", Text: models.NewSecret("\r\n.\r\nMAIL FROM:<eve@example.com>\r\nBcc: eve@example.com")})
	got := s.Next(t)
	if got.Head.Get("Bcc") != "" || got.To != "ana@northwind.example" || !strings.Contains(got.Text, "MAIL FROM:<eve@example.com>") || strings.ContainsAny(got.Subject(), "\r\n") {
		t.Errorf("%+v", got)
	}
	s.None(t)
	if n := strings.Count(d.String(), "is not one line"); n != 9 {
		t.Errorf("%d lines in\n%s", n, &d)
	}
}

func TestWrongPassword(t *testing.T) {
	s := (&mailtest.Server{TLS: true, Auth: true}).Start(t, "")
	server := serverOf(t, s)
	server.Password = models.NewSecret("wrong-canary")
	var d diary
	m := open(t, server, &d)
	m.Send(message("ana@northwind.example"))
	d.wait(t, `level=ERROR msg="mail given up" to=ana@northwind.example subject="Set a new password" tries=1 error="the mail server refused the user and password: 535 5.7.8 Authentication failed"`)
	_, err := m.Try(t.Context(), message("ana@northwind.example"))
	if err == nil || !strings.Contains(err.Error(), "refused the user and password: 535") {
		t.Error(err)
	}
	s.None(t)
}

// C2: a certificate that is not trusted, or another host's, gets neither password nor mail.
func TestWrongCertificate(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		named := (&mailtest.Server{TLS: true, Implicit: implicit, Auth: true, Name: "mail.example.com"}).Start(t, "")
		unknown := (&mailtest.Server{TLS: true, Implicit: implicit, Auth: true}).Start(t, "")
		untrusted := serverOf(t, unknown)
		untrusted.CAs = nil
		for want, server := range map[string]mail.Server{"not valid for any names": serverOf(t, named), "unknown authority": untrusted} {
			var d diary
			m := open(t, server, &d)
			m.Send(message("ana@northwind.example"))
			d.wait(t, "mail given up", "tries=1", "the mail server's certificate is not trusted: x509: ")
			if _, err := m.Try(t.Context(), message("ana@northwind.example")); err == nil || !strings.Contains(err.Error(), "certificate is not trusted") {
				t.Errorf("%s: %v", want, err)
			}
		}
		named.None(t)
		unknown.None(t)
	}
}

// C2: a server, or whoever sits before it, that does not offer TLS gets nothing.
func TestNoStartTLS(t *testing.T) {
	s := (&mailtest.Server{Auth: true}).Start(t, "")
	server := serverOf(t, s)
	server.Security = mail.StartTLS
	var d diary
	m := open(t, server, &d, func(_ *int, _, longest *time.Duration) { *longest = 100 * time.Millisecond })
	m.Send(message("ana@northwind.example"))
	d.wait(t, "mail given up", "does not support STARTTLS")
	s.None(t)
}

func TestTLSVersion(t *testing.T) { // C2
	s := (&mailtest.Server{TLS: true, OldTLS: true}).Start(t, "")
	var d diary
	m := open(t, serverOf(t, s), &d)
	if _, err := m.Try(t.Context(), message("ana@northwind.example")); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Error(err)
	}
	s.None(t)
}

// A server that sends the password back does not get it into the log.
func TestPasswordSentBack(t *testing.T) {
	server := hanging(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "220 here\r\n")
		buffer := make([]byte, 1024)
		for {
			n, err := c.Read(buffer)
			if err != nil {
				return
			}
			if line := string(buffer[:n]); strings.HasPrefix(line, "EHLO") {
				_, _ = io.WriteString(c, "250-here\r\n250 AUTH PLAIN\r\n")
			} else {
				_, _ = io.WriteString(c, "535 5.7.8 no: \x1b[31m"+strings.TrimSpace(line)+" "+mailtest.Password+"\r\n")
			}
		}
	})
	server.User, server.Password = mailtest.User, models.NewSecret(mailtest.Password)
	var d diary
	m := open(t, server, &d)
	m.Send(message("ana@northwind.example"))
	d.wait(t, "refused the user and password: 535 5.7.8 no:", "[secret]")
	if strings.Contains(d.String(), "\x1b") || strings.Contains(d.String(), `\x1b`) {
		t.Error(d.String())
	}
}

func TestServerIsNamedWithoutItsPassword(t *testing.T) {
	s := (&mailtest.Server{Auth: true}).Start(t, "")
	var d diary
	m := open(t, serverOf(t, s), &d)
	if text := fmt.Sprintf("%+v %v", m.Server(), m.Server()); strings.Contains(text, mailtest.Password) || !m.Server().Password.IsEmpty() {
		t.Error(text)
	}
	if from := m.Server().From; from.Address != "latchkey@northwind.example" {
		t.Error(from)
	}
}
