package certs_test

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/certs"
	"github.com/latchkey/latchkey/certs/certstest"
)

const host = "account.example.com"

// shelf is a folder with a pair, and what reads it.
type shelf struct {
	*testing.T
	dir   string
	pair  certs.Pair
	files *certs.Files
	log   bytes.Buffer
	now   time.Time
}

func newShelf(t *testing.T, authority *certstest.Authority) *shelf {
	t.Helper()
	s := &shelf{T: t, dir: t.TempDir(), now: time.Now()}
	s.pair = certs.Pair{Host: host}
	s.pair.Cert, s.pair.Key = authority.Pair(t, s.dir, host)
	return s
}

func (s *shelf) open() error {
	var err error
	s.files, err = certs.OpenFiles(s.pair, slog.New(slog.NewTextHandler(&s.log, nil)), func() time.Time { return s.now })
	return err
}

func (s *shelf) mustOpen() {
	s.Helper()
	if err := s.open(); err != nil {
		s.Fatal(err)
	}
}

// serial is that of the certificate that is shown.
func (s *shelf) serial() string {
	s.Helper()
	cert, err := s.files.TLSConfig().GetCertificate(&tls.ClientHelloInfo{ServerName: host})
	if err != nil {
		s.Fatal(err)
	}
	return cert.Leaf.SerialNumber.Text(16)
}

func (s *shelf) write(path string, text []byte) {
	s.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		s.Fatal(err)
	}
}

// C1: a pair that cannot be used stops the start with one line that says what to do, and
// says nothing of the key.
func TestPairsThatCannotBeUsed(t *testing.T) {
	authority := certstest.New(t)
	for want, spoil := range map[string]func(s *shelf){
		"cannot be read, check its path, owner and mode: no such file": func(s *shelf) { s.pair.Cert = filepath.Join(s.dir, "none") },
		"is not a regular file":             func(s *shelf) { s.pair.Key = s.dir },
		"can be used by others (mode 0644)": func(s *shelf) { _ = os.Chmod(s.pair.Key, 0o644) },
		"can be used by others (mode 0660)": func(s *shelf) { _ = os.Chmod(s.pair.Key, 0o660) },
		"belong together": func(s *shelf) {
			other, _ := authority.Issue(t, s.now, s.now.Add(time.Hour), host)
			s.write(s.pair.Cert, other)
		},
		"have to be PEM": func(s *shelf) { s.write(s.pair.Key, []byte("not a key, but secret")) },
		"is for another host, get one for account.other": func(s *shelf) { s.pair.Host = "account.other" },
		"is larger than 1 MiB":                           func(s *shelf) { s.write(s.pair.Cert, make([]byte, 1<<20+1)) },
	} {
		s := newShelf(t, authority)
		spoil(s)
		if err := s.open(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", want, err)
		}
	}
	s := newShelf(t, authority)
	_ = os.Chmod(s.pair.Key, 0o640) // a group may read it, as in the folders that Kubernetes and Debian make
	s.pair.Host = ""
	s.mustOpen()
}

func TestAReplacedPairIsTaken(t *testing.T) {
	authority := certstest.New(t)
	s := newShelf(t, authority)
	s.mustOpen()
	first := s.serial()
	s.files.Look()
	if s.log.Len() > 0 {
		t.Errorf("nothing has changed: %s", &s.log)
	}
	cert, key := authority.Issue(t, s.now.Add(-time.Hour), s.now.Add(24*time.Hour), host)
	s.write(s.pair.Cert, cert)
	s.files.Look() // between the two
	if s.serial() != first || s.log.Len() > 0 {
		t.Errorf("half a pair was taken or told of: %s", &s.log)
	}
	s.write(s.pair.Key, key)
	s.files.Look()
	if s.serial() == first || !strings.Contains(s.log.String(), `msg="certificate read again"`) {
		t.Errorf("the new pair was not taken: %s", &s.log)
	}
}

// certbot and Kubernetes swap a link; the files behind it may be of the same time and size.
func TestASwappedLinkIsNoticed(t *testing.T) {
	authority := certstest.New(t)
	s := newShelf(t, authority)
	long := time.Now().Add(-time.Hour)
	for _, version := range []string{"1", "2"} {
		if err := os.Mkdir(filepath.Join(s.dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, path := range paths(authority.Pair(t, filepath.Join(s.dir, version), host)) {
			if err := os.Chtimes(path, long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	link := filepath.Join(s.dir, "..data")
	swap := func(version string) {
		t.Helper()
		if err := os.Symlink(version, link+"_tmp"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+"_tmp", link); err != nil {
			t.Fatal(err)
		}
	}
	swap("1")
	s.pair.Cert, s.pair.Key = filepath.Join(link, "tls.crt"), filepath.Join(link, "tls.key")
	s.mustOpen()
	first := s.serial()
	swap("2")
	s.files.Look()
	if s.serial() == first {
		t.Error("the swap was not noticed")
	}
}

func paths(cert, key string) []string { return []string{cert, key} }

// A bad pair keeps the old one, and is told of once.
func TestABadPairKeepsTheOldOne(t *testing.T) {
	authority := certstest.New(t)
	s := newShelf(t, authority)
	s.mustOpen()
	first := s.serial()
	bad := func(what string, change func()) {
		t.Helper()
		s.log.Reset()
		change()
		for range 4 {
			s.files.Look()
		}
		if s.serial() != first || strings.Count(s.log.String(), "level=ERROR") != 1 || strings.Count(s.log.String(), "\n") != 1 {
			t.Errorf("%s: %s", what, &s.log)
		}
	}
	cert, err := os.ReadFile(s.pair.Cert)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := authority.Issue(t, s.now, s.now.Add(time.Hour), "other.example.com")
	bad("gone", func() { _ = os.Remove(s.pair.Cert) })
	bad("damaged", func() { s.write(s.pair.Cert, []byte("damaged")) })
	bad("of another key", func() { s.write(s.pair.Cert, other) })
	s.write(s.pair.Cert, cert)
	bad("readable", func() { _ = os.Chmod(s.pair.Key, 0o644) })
	_ = os.Chmod(s.pair.Key, 0o600)
	s.log.Reset()
	s.files.Look()
	if s.serial() != first || s.log.Len() > 0 {
		t.Errorf("the old pair is back: %s", &s.log)
	}
}

// The end is told of 14 days before, once a day.
func TestTheEndIsToldOf(t *testing.T) {
	authority := certstest.New(t)
	s := newShelf(t, authority)
	ends := s.now.Add(90 * 24 * time.Hour)
	cert, key := authority.Issue(t, s.now, ends, host)
	s.write(s.pair.Cert, cert)
	s.write(s.pair.Key, key)
	s.mustOpen()
	for _, at := range []struct {
		before time.Duration
		want   string
	}{
		{14*24*time.Hour + time.Minute, ""}, {14*24*time.Hour - time.Minute, "level=WARN"}, {14*24*time.Hour - time.Hour, ""},
		{13*24*time.Hour - 2*time.Minute, "level=WARN"}, {-time.Hour, "level=ERROR"}, {-2 * time.Hour, ""},
	} {
		s.log.Reset()
		s.now = ends.Add(-at.before)
		s.files.Look()
		if got := s.log.String(); !strings.Contains(got, at.want) || (got == "") != (at.want == "") {
			t.Errorf("%s before the end: %q, want %q", at.before, got, at.want)
		}
	}
}
