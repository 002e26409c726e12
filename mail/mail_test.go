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
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/mail/mailtest"
	"github.com/latchkey/latchkey/models"
)

const link = "https://latchkey.northwind.example/reset/canary-of-a-link"

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

// R5: a server that is away loses nothing: all wait, and go out when it is back.
func TestServerAwayAndBack(t *testing.T) {
	s := (&mailtest.Server{}).Start(t, "")
	s.Stop()
	var d diary
	m := open(t, serverOf(t, s), &d)
	for i := range 10 {
		m.Send(message(fmt.Sprintf("ana%d@northwind.example", i)))
	}
	time.Sleep(100 * time.Millisecond)
	s.Start(t, s.Addr)
	for i := range 10 {
		if got := s.Next(t); got.To != fmt.Sprintf("ana%d@northwind.example", i) {
			t.Errorf("%d: %s", i, got.To)
		}
	}
	d.wait(t, "ana9@northwind.example")
	if strings.Contains(d.String(), "given up") {
		t.Error(d.String())
	}
}

func TestServerThatStaysAway(t *testing.T) {
	s := (&mailtest.Server{}).Start(t, "")
	s.Stop()
	var d diary
	m := open(t, serverOf(t, s), &d, func(_ *int, _, longest *time.Duration) { *longest = 100 * time.Millisecond })
	m.Send(message("ana@northwind.example"))
	d.wait(t, "mail given up", "the mail server cannot be used: ", "connection refused")
	if strings.Contains(d.String(), "tries=1 ") {
		t.Error(d.String())
	}
}

// A message that the server puts off waits alone, and is given up in the end; one
// that it refuses is given up at once.
func TestAnswersOfTheServer(t *testing.T) {
	var late, never atomic.Int32
	s := (&mailtest.Server{Answer: func(to string) error {
		switch to {
		case "late@northwind.example":
			if late.Add(1) < 3 {
				return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "greylisted"}
			}
		case "never@northwind.example":
			never.Add(1)
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later"}
		case "nobody@northwind.example":
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
		}
		return nil
	}, After: func(text string) error {
		if strings.Contains(text, "spam") {
			return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "I do not like " + text}
		}
		return nil
	}}).Start(t, "")
	var d diary
	m := open(t, serverOf(t, s), &d)
	for _, to := range []string{"never", "late", "nobody", "ana"} {
		m.Send(message(to + "@northwind.example"))
	}
	m.Send(mail.Message{To: "spam@northwind.example", Subject: "x", Text: models.NewSecret("spam canary")})
	if got := s.Next(t); got.To != "ana@northwind.example" {
		t.Errorf("first %s", got.To)
	}
	if got := s.Next(t); got.To != "late@northwind.example" {
		t.Errorf("second %s", got.To)
	}
	d.wait(t, `to=nobody@northwind.example subject="Set a new password" tries=1 error="the mail server refused the recipient: 550 5.1.1"`,
		`to=never@northwind.example subject="Set a new password" tries=4 error="the mail server refused the recipient: 451 4.3.0"`,
		`to=spam@northwind.example subject=x tries=1 error="the mail server refused the mail: 554`)
	if _, err := m.Try(t.Context(), message("nobody@northwind.example")); err == nil || err.Error() != "the mail server refused the recipient: 550 5.1.1 no such user here" {
		t.Error(err)
	}
	if said, err := m.Try(t.Context(), message("ana@northwind.example")); err != nil || !strings.HasPrefix(said, "2.0.0 OK") {
		t.Errorf("%q %v", said, err)
	}
}

// hanging accepts and says nothing, or hardly anything.
func hanging(t *testing.T, greet func(net.Conn)) mail.Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				greet(conn)
			}()
		}
	}()
	server, problem := mail.ParseServer("smtp://" + listener.Addr().String() + "?from=a@northwind.example")
	if problem != "" {
		t.Fatal(problem)
	}
	return server
}

// R5: a server that hangs holds nobody up for longer than a try may take.
func TestServerThatHangs(t *testing.T) {
	quick := func(_ *int, step, longest *time.Duration) {
		*step, *longest = 100*time.Millisecond, 300*time.Millisecond
	}
	for name, greet := range map[string]func(net.Conn){
		"silent": func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"dripping": func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, "2"); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		},
		"greets": func(c net.Conn) {
			_, _ = io.WriteString(c, "220 here\r\n")
			_, _ = io.Copy(io.Discard, c)
		},
		"hangs up": func(net.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var d diary
			m := open(t, hanging(t, greet), &d, quick)
			began := time.Now()
			if _, err := m.Try(t.Context(), message("ana@northwind.example")); err == nil || time.Since(began) > 5*time.Second {
				t.Errorf("%v after %s", err, time.Since(began))
			}
			m.Send(message("ana@northwind.example"))
			d.wait(t, "mail given up")
		})
	}
}

func TestFullQueue(t *testing.T) { // R3
	var d diary
	m := open(t, hanging(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), &d, func(waiting *int, _, _ *time.Duration) { *waiting = 3 })
	for range 10 {
		m.Send(message("ana@northwind.example"))
	}
	if n := strings.Count(d.String(), "mail not sent: too many wait already"); n < 6 || n > 7 {
		t.Errorf("%d were dropped", n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Close(ended); err != nil {
		t.Error(err)
	}
	d.wait(t, "mail was still waiting to be sent and is lost", "messages=3")
}

// What waits goes out before the program ends, in the time that there is.
func TestCloseSendsWhatWaits(t *testing.T) {
	s := (&mailtest.Server{}).Start(t, "")
	var d diary
	m := open(t, serverOf(t, s), &d)
	for i := range 15 {
		m.Send(message(fmt.Sprintf("ana%d@northwind.example", i)))
	}
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for range 15 {
		s.Next(t)
	}
	m.Send(message("late@northwind.example"))
	s.None(t)
	d.wait(t, "the program stops")
}

func TestCloseGivesUpOnAServerThatHangs(t *testing.T) {
	var d diary
	m := open(t, hanging(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), &d, func(_ *int, step, _ *time.Duration) { *step = time.Minute })
	for range 3 {
		m.Send(message("ana@northwind.example"))
	}
	limit, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := m.Close(limit); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
	d.wait(t, "is lost", "messages=3")
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
