// Package certs holds the certificates that the server itself shows: from files that are
// read again when they change, or got by ACME (RFC 8555).
package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

const (
	// lookEvery is how late a changed file is noticed.
	lookEvery = 2 * time.Second
	maxFile   = 1 << 20
)

// Pair names a certificate and its key, both PEM files.
type Pair struct {
	Cert, Key string
	// Host is what the certificate has to cover; empty for whatever it covers.
	Host string
}

// Files shows the certificate of two files. It is safe for concurrent use.
type Files struct {
	pair    Pair
	log     *slog.Logger
	now     func() time.Time
	current atomic.Pointer[tls.Certificate]

	// Of Run alone.
	taken  content
	broken content
	told   bool
	ending ending
}

// content is what the files held.
type content struct {
	cert, key []byte
	problem   string // why they could not be read
}

func (c content) is(other content) bool {
	return bytes.Equal(c.cert, other.cert) && bytes.Equal(c.key, other.key) && c.problem == other.problem
}

// OpenFiles reads the pair. Each error says what to do, and none holds key material.
func OpenFiles(pair Pair, log *slog.Logger, now func() time.Time) (*Files, error) {
	f := &Files{pair: pair, log: log, now: now, ending: ending{log: log, now: now, advice: "renew it"}}
	f.taken = pair.read()
	cert, err := pair.parse(f.taken)
	if err != nil {
		return nil, err
	}
	f.current.Store(cert)
	return f, nil
}

// TLSConfig is for the server: TLS 1.2 or newer, with Go's own list of ciphers.
func (f *Files) TLSConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current.Load(), nil }}
}

// ValidUntil is when the certificate ends.
func (f *Files) ValidUntil() time.Time { return f.current.Load().Leaf.NotAfter }

// Run looks for other content every two seconds, and for the end of the certificate, until
// ctx ends. Both files are read whole: a link that leads elsewhere, and a file that was
// replaced within the same second, are noticed too.
func (f *Files) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		f.ending.look(ctx, f.current.Load().Leaf)
		select {
		case <-ticker.C:
			f.look()
		case <-ctx.Done():
			return
		}
	}
}

// look takes what the files hold now if it is another pair, and a good one. One that is not
// is told of once, and not at first sight: the two files may be replaced one after the other.
func (f *Files) look() {
	found := f.pair.read()
	if found.is(f.taken) {
		f.broken, f.told = content{}, false
		return
	}
	cert, err := f.pair.parse(found)
	if err == nil {
		f.taken, f.broken, f.told = found, content{}, false
		f.current.Store(cert)
		f.log.Info("certificate read again", "subject", cert.Leaf.Subject.String(), "serial", cert.Leaf.SerialNumber.Text(16), "ends", cert.Leaf.NotAfter.UTC().Format(time.RFC3339))
		return
	}
	if found.is(f.broken) && !f.told {
		f.log.Error("the new certificate is not used, the one before is kept", "error", err)
		f.told = true
	}
	if !found.is(f.broken) {
		f.broken, f.told = found, false
	}
}

func (p Pair) read() content {
	cert, err := readFile(p.Cert, 0)
	if err != nil {
		return content{problem: "the certificate " + p.Cert + " " + err.Error()}
	}
	// A group may read the key: that is how it reaches a service that is not root.
	key, err := readFile(p.Key, 0o027)
	if err != nil {
		return content{problem: "the key " + p.Key + " " + err.Error()}
	}
	return content{cert: cert, key: key}
}

// readFile asks the open file, not the path, for its mode: the path could be changed in
// between. None of the bits in refused may be set.
func readFile(path string, refused os.FileMode) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // the operator's own setting
	if err != nil {
		return nil, fmt.Errorf("cannot be read, check its path, owner and mode: %w", errors.Unwrap(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file, correct its path")
	}
	if mode := info.Mode().Perm(); mode&refused != 0 {
		return nil, fmt.Errorf("can be used by others (mode %04o), run: chmod 640 %s", mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, errors.New("cannot be read, check its disk")
	}
	if len(text) > maxFile {
		return nil, errors.New("is larger than 1 MiB, correct its path")
	}
	return text, nil
}

func (p Pair) parse(found content) (*tls.Certificate, error) {
	if found.problem != "" {
		return nil, errors.New(found.problem)
	}
	cert, err := tls.X509KeyPair(found.cert, found.key)
	if err != nil {
		return nil, fmt.Errorf("the certificate %s and the key %s cannot be used, both have to be PEM and belong together: %w", p.Cert, p.Key, err)
	}
	if p.Host != "" {
		if err := cert.Leaf.VerifyHostname(p.Host); err != nil {
			return nil, fmt.Errorf("the certificate %s is for another host, get one for %s or correct LATCHKEY_BASE_URL: %w", p.Cert, p.Host, err)
		}
	}
	return &cert, nil
}
