package store

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
)

// IsPostgres tells whether an address is PostgreSQL's and not the path of a file.
func IsPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// ShownAddress is an address as logs and pages may show it: without the password and
// whatever else stands in its query.
func ShownAddress(address string) string {
	if !IsPostgres(address) {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return "postgres://"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if name := u.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	return shown.String()
}

var errAddress = errors.New("write an address such as postgres://user:password@host:5432/name?sslmode=verify-full, with what is no letter or digit in user and password percent-encoded")

// badAddress says why the driver cannot read an address. Its own words may hold the password.
func badAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errAddress
	}
	for _, name := range []string{"sslrootcert", "sslcert", "sslkey"} {
		path := u.Query().Get(name)
		if path == "" || path == "system" {
			continue
		}
		file, err := os.Open(path) //nolint:gosec // the operator's own setting
		if err != nil {
			return fmt.Errorf("correct the path in its %s: %w", name, err)
		}
		_ = file.Close() // nothing was read
	}
	return errAddress
}

// InTheClear tells whether a connection to an address of PostgreSQL might lead off this
// machine without TLS that proves whose the server is. The driver's default falls back to
// clear text.
func InTheClear(address string) (bool, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return false, badAddress(address)
	}
	if strings.Contains(config.Host, "@") { // the end of a password
		return false, errAddress
	}
	if exposed(config.Host, config.TLSConfig) {
		return true, nil
	}
	for _, other := range config.Fallbacks {
		if exposed(other.Host, other.TLSConfig) {
			return true, nil
		}
	}
	return false, nil
}

func exposed(host string, secured *tls.Config) bool {
	ip, err := netip.ParseAddr(host)
	if strings.HasPrefix(host, "/") || host == "localhost" || err == nil && ip.IsLoopback() {
		return false
	}
	return secured == nil || secured.InsecureSkipVerify
}
