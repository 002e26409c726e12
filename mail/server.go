package mail

import (
	"crypto/x509"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/latchkey/latchkey/models"
)

// Server is the operator's mail server. The zero value is none.
type Server struct {
	Host string
	Port int
	// Security is how the connection is kept from others.
	Security Security
	// User is empty where the server wants nobody to sign in.
	User     string
	Password models.Secret
	From     mail.Address
	// CAs are those that the server's certificate may come from; nil for the system's.
	CAs *x509.CertPool
}

// Security is how a connection is kept from others.
type Security string

// The kinds. There is no "if the server offers it": who sits in between would take
// the offer away.
const (
	// StartTLS begins in the clear and goes on with TLS, or not at all.
	StartTLS Security = "STARTTLS"
	// ImplicitTLS begins with TLS.
	ImplicitTLS Security = "TLS"
	// Clear is for a server on this machine alone.
	Clear Security = "no TLS, on this machine"
)

const exampleURL = "smtp://user:password@mail.example.com:587?from=latchkey@example.com"

// ParseServer reads LATCHKEY_SMTP_URL. The second result says what to write instead,
// without quoting what was written: a password is in it.
func ParseServer(text string) (Server, string) {
	if text == "" {
		return Server{}, ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return Server{}, "write an address such as " + exampleURL + ", and percent-encode what is not a letter or a digit in the user and the password"
	}
	server := Server{Host: u.Hostname(), Security: StartTLS}
	for _, read := range []func(*Server, *url.URL) string{readPort, readUser, readQuery} {
		if problem := read(&server, u); problem != "" {
			return Server{}, problem
		}
	}
	return server, ""
}

func readPort(s *Server, u *url.URL) string {
	s.Port = 587
	if u.Scheme == "smtps" {
		s.Security, s.Port = ImplicitTLS, 465
	} else if onLoopback(s.Host) {
		s.Security = Clear
	}
	if u.Port() == "" {
		return ""
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return "write a port from 1 to 65535"
	}
	s.Port = int(port)
	return ""
}

func readUser(s *Server, u *url.URL) string {
	if u.User == nil {
		return ""
	}
	password, _ := u.User.Password()
	s.User, s.Password = u.User.Username(), models.NewSecret(password)
	if s.User == "" || password == "" {
		return "write both a user and a password before the @, or neither"
	}
	if strings.ContainsFunc(s.User+password, unicode.IsControl) {
		return "leave control characters out of the user and the password"
	}
	return ""
}

// readQuery takes a plus as it stands: addresses have them.
func readQuery(s *Server, u *url.URL) string {
	query, err := url.ParseQuery(strings.ReplaceAll(u.RawQuery, "+", "%2B"))
	if err != nil {
		return "write ?from= and the sender's address after the host, percent-encoded"
	}
	for name, values := range query {
		if name != "from" && name != "starttls" || len(values) > 1 {
			return "after the host write from=, and starttls= where it is needed, once each"
		}
	}
	from, err := mail.ParseAddress(query.Get("from"))
	if err != nil || strings.ContainsFunc(from.Name+from.Address, unicode.IsControl) {
		return "add the sender's address, such as ?from=latchkey@example.com"
	}
	s.From = *from
	return s.readStartTLS(query.Get("starttls"))
}

func (s *Server) readStartTLS(text string) string {
	switch {
	case text == "":
		return ""
	case s.Security == ImplicitTLS:
		return "leave starttls out: smtps:// begins with TLS"
	case text == "required":
		s.Security = StartTLS
		return ""
	case text == "no" && onLoopback(s.Host):
		s.Security = Clear
		return ""
	case text == "no":
		return "off this machine STARTTLS is required: leave starttls=no out"
	}
	return "write starttls=required or starttls=no"
}

// String names the server without its user and password.
func (s Server) String() string {
	if s.Host == "" {
		return ""
	}
	scheme := "smtp://"
	if s.Security == ImplicitTLS {
		scheme = "smtps://"
	}
	return scheme + net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// ParseCAs reads certificates in PEM.
func ParseCAs(pem []byte) (*x509.CertPool, bool) {
	pool := x509.NewCertPool()
	return pool, pool.AppendCertsFromPEM(pem)
}

func onLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
