package mail_test

import (
	"strings"
	"testing"

	"github.com/latchkey/latchkey/mail"
)

func TestParseServer(t *testing.T) {
	for text, want := range map[string]struct {
		shown, user, password, from string
		security                    mail.Security
	}{
		"": {},
		"smtp://mail.example.com?from=a@example.com":                            {"smtp://mail.example.com:587", "", "", "<a@example.com>", mail.StartTLS},
		"smtp://u:p@mail.example.com:25?from=a@example.com":                     {"smtp://mail.example.com:25", "u", "p", "<a@example.com>", mail.StartTLS},
		"smtps://u%40x:p%40%3A%2F%25@mail.example.com?from=ops+key@example.com": {"smtps://mail.example.com:465", "u@x", "p@:/%", "<ops+key@example.com>", mail.ImplicitTLS},
		"smtp://localhost:1025?from=Latchkey%20%3Ca@example.com%3E":             {"smtp://localhost:1025", "", "", `"Latchkey" <a@example.com>`, mail.Clear},
		"smtp://127.0.0.1?from=a@example.com&starttls=required":                 {"smtp://127.0.0.1:587", "", "", "<a@example.com>", mail.StartTLS},
		"smtp://[::1]:25/?from=a@example.com&starttls=no":                       {"smtp://[::1]:25", "", "", "<a@example.com>", mail.Clear},
		"smtp://mail.example.com?from=a@example.com&starttls=required":          {"smtp://mail.example.com:587", "", "", "<a@example.com>", mail.StartTLS},
	} {
		got, problem := mail.ParseServer(text)
		from := ""
		if got.From.Address != "" {
			from = got.From.String()
		}
		if problem != "" || got.String() != want.shown || got.User != want.user || got.Password.Reveal() != want.password || from != want.from || got.Security != want.security {
			t.Errorf("%s: %v %q %q %s %s %s", text, got, got.User, got.Password.Reveal(), from, got.Security, problem)
		}
	}
}

// C1, A2: what is wrong is said without the password in it.
func TestParseServerRefuses(t *testing.T) {
	const canary = "hunter2-canary"
	for _, text := range []string{
		"mail.example.com", "http://u:" + canary + "@mail.example.com?from=a@example.com", "smtp://u:" + canary + "@?from=a@example.com",
		"smtp://u:" + canary + "%@mail.example.com?from=a@example.com", "smtp://u:" + canary + "@mail.example.com", "smtp://u:" + canary + "@mail.example.com?from=",
		"smtp://u:" + canary + "@mail.example.com?from=nobody", "smtp://u:" + canary + "@mail.example.com?from=a@example.com%0d%0aBcc:b@example.com",
		"smtp://u:" + canary + "@mail.example.com?from=%3D%3Futf-8%3Fq%3Fa%3D0D%3D0Ab%3F%3D%20%3Ca@example.com%3E",
		"smtp://u:" + canary + "@mail.example.com:0?from=a@example.com", "smtp://u:" + canary + "@mail.example.com:99999?from=a@example.com",
		"smtp://u:" + canary + "@mail.example.com/path?from=a@example.com", "smtp://u:" + canary + "@mail.example.com?from=a@example.com#x",
		"smtp://u:" + canary + "@mail.example.com?from=a@example.com&from=b@example.com", "smtp://u:" + canary + "@mail.example.com?from=a@example.com&tls=off",
		"smtp://u:" + canary + "@mail.example.com?from=a@example.com&starttls=no", "smtp://u:" + canary + "@localhost?from=a@example.com&starttls=maybe",
		"smtps://u:" + canary + "@mail.example.com?from=a@example.com&starttls=required", "smtp://u:" + canary + "%0A@mail.example.com?from=a@example.com",
		"smtp://u@mail.example.com?from=a@example.com", "smtp://:" + canary + "@mail.example.com?from=a@example.com", "smtp://u:@mail.example.com?from=a@example.com",
	} {
		server, problem := mail.ParseServer(text)
		if problem == "" || server.Host != "" || strings.Contains(problem, canary) || strings.Contains(problem, "\n") {
			t.Errorf("%q: %v, %q", text, server, problem)
		}
	}
}

func TestParseCAs(t *testing.T) {
	if _, ok := mail.ParseCAs([]byte("no certificate")); ok {
		t.Error("taken")
	}
}
