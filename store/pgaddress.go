package store

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"net/url"
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

var errAddress = errors.New("write an address such as postgres://user:password@host:5432/name?sslmode=verify-full")

// InTheClear tells whether a connection to an address of PostgreSQL might lead off this
// machine without TLS that proves whose the server is. The driver's default falls back to
// clear text.
func InTheClear(address string) (bool, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return false, errAddress // the driver's words may hold the password
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
