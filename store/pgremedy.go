package store

import (
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// Remedy is what an operator can do about an error of opening or preparing a PostgreSQL
// database.
func Remedy(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		if remedy, known := remedies[refused.Code]; known {
			return remedy
		}
	}
	var unknown x509.UnknownAuthorityError
	var misnamed x509.HostnameError
	var unresolved *net.DNSError
	var network net.Error
	switch {
	case errors.Is(err, errPooled):
		return "name its own address"
	case errors.As(err, &unknown):
		return "name the file with the authority of its certificate as sslrootcert in LATCHKEY_DATABASE"
	case errors.As(err, &misnamed):
		return "write the name that its certificate is for in LATCHKEY_DATABASE"
	case strings.Contains(err.Error(), "server refused TLS connection"): // the driver has no error for it
		return "switch ssl on in its postgresql.conf"
	case errors.As(err, &unresolved):
		return "no name server knows its host: correct LATCHKEY_DATABASE"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: start its server, or correct host and port in LATCHKEY_DATABASE"
	case errors.As(err, &network) && network.Timeout():
		return "nothing answers there: look at its server and the way to it, or correct LATCHKEY_DATABASE"
	}
	return "check that its server runs and takes this user, and LATCHKEY_DATABASE"
}

var remedies = map[string]string{
	"28P01": "correct user and password in LATCHKEY_DATABASE",
	"28000": "let this user in by the server's pg_hba.conf, or correct LATCHKEY_DATABASE",
	"3D000": "make it (CREATE DATABASE name OWNER user), or correct its name in LATCHKEY_DATABASE",
	"42501": "give it to its user (ALTER DATABASE name OWNER TO user)",
	"25006": "name the primary in LATCHKEY_DATABASE: this server takes no writes",
	"53300": "raise max_connections of its server, or end what holds its connections",
	"57P03": "its server is starting or stopping: try again",
}
