package mail_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/mail/mailtest"
	"github.com/latchkey/latchkey/models"
)

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
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
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
	dropped := strings.Count(d.String(), "mail not sent: too many wait already")
	if dropped < 6 || dropped > 7 { // one may be on its way already
		t.Errorf("%d were dropped", dropped)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Close(ended); err != nil {
		t.Error(err)
	}
	d.wait(t, "mail was still waiting to be sent and is lost", "messages="+strconv.Itoa(10-dropped))
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
