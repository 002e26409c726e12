package main

import (
	"crypto/x509"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/certs"
	"github.com/latchkey/latchkey/provider"
)

// tlsSettings are what the server needs to encrypt connections itself.
type tlsSettings struct {
	pair certs.Pair

	acme      bool
	hosts     []string // those that were named; none: the base URL's and the gateway's
	agreed    bool
	email     string
	directory string
	roots     *x509.CertPool

	redirectAddr string
}

// on tells whether connections are encrypted here.
func (s tlsSettings) on() bool { return s.acme || s.pair.Cert != "" || s.pair.Key != "" }

func parseACME(c *Config, value string) string {
	c.TLS.acme = value != ""
	if value == "" || value == "on" {
		return ""
	}
	for text := range strings.SplitSeq(value, ",") {
		name := strings.ToLower(strings.TrimSpace(text))
		if problem := publicName(name); problem != "" {
			return problem
		}
		if !slices.Contains(c.TLS.hosts, name) {
			c.TLS.hosts = append(c.TLS.hosts, name)
		}
	}
	return ""
}

const longestName = 253

// publicName says what is wrong with a host that an ACME server is to certify.
func publicName(name string) string {
	if _, err := netip.ParseAddr(name); err == nil || !strings.Contains(strings.Trim(name, "."), ".") || strings.Trim(name, domainChars) != "" ||
		strings.Trim(name, ".-") != name || strings.Contains(name, "..") || len(name) > longestName {
		return "write on, or whole host names in ASCII without a port, such as account.example.com"
	}
	return ""
}

func parseACMEEmail(c *Config, value string) string {
	c.TLS.email = value
	if value == "" {
		return ""
	}
	if address, err := mail.ParseAddress(value); err != nil || address.Address != value {
		return "write one address, such as ops@example.com"
	}
	return ""
}

func parseACMEDirectory(c *Config, value string) string {
	u, err := url.Parse(value)
	c.TLS.directory = value
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return "write the https address of the ACME server's directory, such as " + certs.LetsEncrypt
	}
	return ""
}

func parseACMERoots(c *Config, value string) string {
	if value == "" {
		return ""
	}
	roots, err := provider.ReadRoots(value)
	if err != nil {
		return "write the path of a PEM file with one certificate or more: " + err.Error()
	}
	c.TLS.roots = roots
	return ""
}

func parseRedirectAddr(c *Config, value string) string {
	if value == "" {
		return ""
	}
	var parsed Config
	problem := parseAddr(&parsed, value)
	c.TLS.redirectAddr = parsed.Addr
	return problem
}

// checkTLS holds the settings of TLS against each other and against the base URL.
func (c *Config) checkTLS(cmd *cli.Command) []string {
	var wrong []string
	say := func(name, problem string) {
		wrong = append(wrong, "--"+name+" ("+setting{name: name}.variable()+"): "+problem)
	}
	files := c.TLS.pair.Cert != "" || c.TLS.pair.Key != ""
	switch {
	case files && c.TLS.acme:
		say("acme", "leave it out, or --tls-cert and --tls-key: there is one certificate")
	case c.TLS.pair.Cert == "" && files:
		say("tls-cert", "name the certificate of --tls-key")
	case c.TLS.pair.Key == "" && files:
		say("tls-key", "name the private key of --tls-cert")
	}
	if !c.TLS.acme {
		for _, name := range []string{"acme-email", "acme-ca"} {
			if cmd.String(name) != "" {
				say("acme", "write on or host names, which --"+name+" is for")
				break
			}
		}
	}
	if c.TLS.acme && !c.TLS.agreed {
		say("acme-agree", "read the terms of service of the ACME server and write true")
	}
	if c.TLS.acme && len(c.TLS.hosts) == 0 && c.baseURLRead && publicName(c.ownHosts()[0]) != "" {
		say("acme", "name the hosts, or write an address with a whole host name in LATCHKEY_BASE_URL")
	}
	if c.TLS.redirectAddr != "" && !c.TLS.on() {
		say("redirect-addr", "name a certificate in --tls-cert or set --acme: nothing is served by https here")
	}
	if c.Addr != "" && c.TLS.redirectAddr == c.Addr && !strings.HasSuffix(c.Addr, ":0") {
		say("redirect-addr", "write another address than --addr")
	}
	return wrong
}

// ownHosts are the names that clients know this server by; the first is the pages'.
func (c *Config) ownHosts() []string {
	base, err := url.Parse(c.BaseURL)
	if err != nil {
		return []string{""}
	}
	hosts := []string{strings.ToLower(strings.TrimSuffix(base.Hostname(), "."))}
	if c.GatewayHost != "" {
		hosts = append(hosts, c.GatewayHost)
	}
	return hosts
}

// certifiedHosts are those that certificates are got for.
func (c *Config) certifiedHosts() []string {
	if len(c.TLS.hosts) > 0 {
		return c.TLS.hosts
	}
	return c.ownHosts()
}

// certificatePair are the files, for the name of the pages: a proxy may know this server by another.
func (c *Config) certificatePair() certs.Pair {
	pair := c.TLS.pair
	if len(c.TrustedProxies) == 0 {
		pair.Host = c.ownHosts()[0]
	}
	return pair
}
