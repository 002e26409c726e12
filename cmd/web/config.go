package main

import (
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/certs"
	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/provider"
	"github.com/latchkey/latchkey/store"
)

// lookup reads an environment variable.
type lookup func(name string) (string, bool)

// Config is the checked settings.
type Config struct {
	Addr    string
	BaseURL string // without a slash at its end; empty until the address is known
	// Database is the name of the database as it may be shown; see database.
	Database    string
	Keys        string
	KeysValue   models.Secret
	KeysCommand []string
	TokenPrefix string
	Limits      models.Limits
	SessionIdle time.Duration
	SessionMax  time.Duration
	Keep        store.Retention

	RequireSecondFactor bool

	DocsURL        string
	TrustedProxies []*net.IPNet
	LogJSON        bool
	SignUp         bool
	Mail           mail.Server
	// Shown lists the settings for the page of operators, without what is secret.
	Shown []models.Setting
	// OIDC has no issuer where people sign in by no provider.
	OIDC provider.Settings
	// WebhookPrivate lets webhooks lead into private networks.
	WebhookPrivate bool
	// Upstreams are the gateway's routes, GatewayHost its own host name if it has one.
	Upstreams   []models.Upstream
	GatewayHost string
	// UpstreamCAs sign the certificates of upstreams; nil for those that the system knows.
	UpstreamCAs *x509.CertPool
	// TLS says how connections are encrypted here; nothing where a proxy does it, or nobody.
	TLS tlsSettings
	// PointsSecret is what a shop signs its reports of purchases with; empty where none does.
	PointsSecret models.Secret
	// MetricsAddr is where metrics are, apart from the public address; empty for none.
	MetricsAddr string
	// MetricsOpen lets that be beyond loopback and private networks.
	MetricsOpen bool
	// DrainDelay is how long the program still answers after it stopped being ready,
	// DrainTimeout how long requests may run after that.
	DrainDelay, DrainTimeout time.Duration

	// address is what the database is opened by, direct PostgreSQL's without a pooler: they
	// may hold a password.
	address, direct models.Secret

	allowHTTP bool
	// What has been read without a problem, for rules that need several settings.
	baseURLRead, allowHTTPRead bool
	metricsInside              bool
}

// setting is one row of the table of settings. parse returns what to write
// instead, empty for a good value.
type setting struct {
	name, fallback, help string
	parse                func(c *Config, value string) string
}

func (s setting) variable() string {
	return "LATCHKEY_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

var settings = []setting{
	{"addr", "127.0.0.1:8080", "listen address", parseAddr},
	{"base-url", "", "public address; https turns Secure cookies and HSTS on (default: from the address)", parseBaseURL},
	{"database", "data/latchkey.db", "a SQLite file, or postgres://user:password@host/name?sslmode=verify-full (better set as a variable)", parseDatabase},
	{"database-direct", "", "address of the same PostgreSQL database without the pooler that stands before it, for what belongs to a session", parseDirect},
	{"keys", "data/keys.json", "key file for encryption at rest and session signing", parseText(func(c *Config) *string { return &c.Keys })},
	{"keys-value", "", "the content of a key file, in place of one (set it as a variable: it holds the keys)", parseKeysValue},
	{"keys-command", "", "a program that prints the content of a key file, and what it takes, separated by spaces; no shell", parseKeysCommand},
	{"token-prefix", "lk_at_", "prefix of access tokens", parseTokenPrefix},
	{"scopes", "api", "scopes that applications may have, comma separated; the first is the default", parseScopes},
	{"max-lifespan", "8760h", "longest token lifespan", parseMaxLifespan},
	{"session-idle", "12h", "ends a session that is not used (operators: 1h at most)", parseDuration(func(c *Config) *time.Duration { return &c.SessionIdle })},
	{"session-max", "168h", "ends every session (operators: 24h at most)", parseDuration(func(c *Config) *time.Duration { return &c.SessionMax })},
	{"keep-manual-tokens", "720h", "how long manual tokens are kept after they expired or were revoked", parseKeep(func(c *Config) *time.Duration { return &c.Keep.Manual })},
	{"keep-issued-tokens", "24h", "how long client_credentials and temporary tokens are kept after they expired or were revoked", parseKeep(func(c *Config) *time.Duration { return &c.Keep.Issued })},
	{"keep-audit", "8760h", "how long audit entries are kept", parseKeepAudit},
	{"require-second-factor", "false", "wants an authenticator app or a passkey of everybody who signs in", parseBool(func(c *Config) *bool { return &c.RequireSecondFactor })},
	{"allow-http", "false", "allow an address off loopback with an http base URL", parseAllowHTTP},
	{"docs-url", "", "where the doc link of the pages leads (default: the built-in page)", parseDocsURL},
	{"trusted-proxies", "", "CIDRs whose X-Forwarded-For counts, comma separated", parseProxies},
	{"webhook-private", "false", "let webhooks lead to private and loopback addresses, and to http", parseBool(func(c *Config) *bool { return &c.WebhookPrivate })},
	{"log", "text", "text or json", parseLog},
	{"signup", "closed", "closed, or open to let anyone create an account with a team of their own", parseSignUp},
	{"smtp-url", "", "mail server, such as smtp://user:password@mail.example.com:587?from=latchkey@example.com; without it, links are shown to be sent by hand (better set as a variable: it holds a password)", parseSMTPURL},
	{"smtp-ca", "", "a PEM file of the CAs that the mail server's certificate may come from (default: the system's)", parseSMTPCA},

	{"upstreams", "", "APIs that the gateway protects, separated by spaces: /path=http://host:port;api=v2;cost=5 (options: api, cost, scope, strip, ws, graphql, origin)", parseUpstreams},
	{"gateway-host", "", "own host name of the gateway's routes, apart from the pages'", parseGatewayHost},
	{"upstream-ca", "", "a PEM file of the CAs that certificates of APIs may come from (default: the system's)", parseUpstreamCA},
	{"points-secret", "", "what a shop signs its reports of purchases at /hooks/points with (better set as a variable)", parsePointsSecret},

	{"tls-cert", "", "a PEM file with the certificate and those that lead to its CA: served by TLS; read again when it changes", parseAny(func(c *Config) *string { return &c.TLS.pair.Cert })},
	{"tls-key", "", "a PEM file with its private key, not readable by others", parseAny(func(c *Config) *string { return &c.TLS.pair.Key })},
	{"acme", "", "get certificates by ACME: on for the hosts of the base URL and the gateway, or host names, comma separated", parseACME},
	{"acme-agree", "false", "true says that you agree to the terms of service of the ACME server", parseBool(func(c *Config) *bool { return &c.TLS.agreed })},
	{"acme-email", "", "address that the ACME server may write to", parseACMEEmail},
	{"acme-directory", certs.LetsEncrypt, "directory of the ACME server", parseACMEDirectory},
	{"acme-ca", "", "a PEM file of the CAs that the ACME server's own certificate may come from (default: the system's)", parseACMERoots},
	{"redirect-addr", "", "second listen address, for http: leads pages to https, refuses all else, answers ACME challenges", parseRedirectAddr},

	{"metrics-addr", "", "private address of /metrics, /healthz and /readyz with details, such as 127.0.0.1:9464 (default: none)", parseMetricsAddr},
	{"metrics-open", "false", "let the address of the metrics be beyond loopback and private networks", parseBool(func(c *Config) *bool { return &c.MetricsOpen })},
	{"drain-delay", "0s", "how long the program goes on answering after the signal to stop, not ready any more, so that balancers notice", parseDrain(func(c *Config) *time.Duration { return &c.DrainDelay }, 0)},
	{"drain-timeout", "35s", "how long requests may run on after that", parseDrain(func(c *Config) *time.Duration { return &c.DrainTimeout }, time.Second)},

	{"oidc-issuer", "", "address of an OpenID provider by which people can sign in", parseIssuer},
	{"oidc-client-id", "", "what Latchkey is called at the provider", parseAny(func(c *Config) *string { return &c.OIDC.ClientID })},
	{"oidc-client-secret", "", "its secret there; better as a variable than as a flag, which others on this host can read", parseClientSecret},
	{"oidc-name", "", "what people call the provider: Sign in with … (default: its host name)", parseProviderName},
	{"oidc-domains", "", "domains of email addresses that get an account by signing in there, comma separated (default: nobody does)", parseDomains},
	{"oidc-team", "", "name or ID of the team that those join", parseAny(func(c *Config) *string { return &c.OIDC.Newcomers.Team })},
	{"oidc-role", "viewer", "their role in it: developer or viewer", parseNewcomersRole},
	{"oidc-ca", "", "a PEM file of certificates that sign the provider's, where the system does not know them", parseProviderRoots},
}

// settingFlags turns the table into flags that also read the environment.
func settingFlags(env lookup) []cli.Flag {
	flags := make([]cli.Flag, 0, len(settings))
	for _, s := range settings {
		flags = append(flags, &cli.StringFlag{
			Name: s.name, Value: s.fallback, Usage: s.help + " [$" + s.variable() + "]",
			Sources: cli.NewValueSourceChain(variable{s.variable(), env}),
		})
	}
	return flags
}

// variable is a source of cli that reads the environment it was given.
type variable struct {
	name string
	env  lookup
}

// Lookup takes an empty variable for one that is not set.
func (v variable) Lookup() (string, bool) {
	value, ok := v.env(v.name)
	return value, ok && value != ""
}

func (v variable) String() string   { return "environment variable " + v.name }
func (v variable) GoString() string { return v.String() }

// readConfig parses every setting and reports all that are wrong at once.
func readConfig(cmd *cli.Command) (Config, error) {
	var config Config
	var wrong []string
	for _, s := range settings {
		if problem := s.parse(&config, cmd.String(s.name)); problem != "" {
			wrong = append(wrong, "--"+s.name+" ("+s.variable()+"): "+problem)
		}
		config.Shown = append(config.Shown, shownSetting(s, cmd.String(s.name)))
	}
	if config.Addr != "" && config.baseURLRead && config.allowHTTPRead {
		if problem := config.checkTransport(); problem != "" {
			wrong = append(wrong, problem)
		}
	}
	if config.SessionMax < config.SessionIdle && config.SessionIdle > 0 && config.SessionMax > 0 {
		wrong = append(wrong, "--session-max (LATCHKEY_SESSION_MAX): write at least the "+config.SessionIdle.String()+" of --session-idle")
	}
	wrong = append(wrong, config.checkDatabase()...)
	wrong = append(wrong, checkProvider(cmd)...)
	wrong = append(wrong, checkKeySource(cmd)...)
	wrong = append(wrong, config.checkTLS(cmd)...)
	wrong = append(wrong, config.checkGateway()...)
	wrong = append(wrong, config.checkMetrics()...)
	if len(wrong) > 0 {
		return Config{}, usageError{lines: wrong}
	}
	return config, nil
}

// checkTransport refuses to send passwords and tokens in the clear.
func (c *Config) checkTransport() string {
	host, port, _ := net.SplitHostPort(c.Addr)
	if c.BaseURL == "" && port != "0" {
		c.BaseURL = c.defaultBaseURL(host, port)
	}
	if c.TLS.on() && strings.HasPrefix(c.BaseURL, "http://") {
		return "--base-url (LATCHKEY_BASE_URL): write an https address, for connections are encrypted here"
	}
	if c.allowHTTP || strings.HasPrefix(c.BaseURL, "https://") {
		return ""
	}
	base, _ := url.Parse(c.BaseURL)
	if onLoopback(host) && (c.BaseURL == "" || onLoopback(base.Hostname())) {
		return ""
	}
	return "--base-url (LATCHKEY_BASE_URL): off this machine write an https address, or set LATCHKEY_ALLOW_HTTP=true to send passwords and tokens in the clear"
}

func (c *Config) defaultBaseURL(host, port string) string {
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if c.TLS.on() {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port)
}

func onLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

func parseAddr(c *Config, value string) string {
	host, port, err := net.SplitHostPort(value)
	number, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || strings.ContainsAny(host, " /") {
		return "write a host and a port, such as 127.0.0.1:8080"
	}
	c.Addr = net.JoinHostPort(host, strconv.FormatUint(number, 10))
	return ""
}

func parseBaseURL(c *Config, value string) string {
	if value == "" {
		c.baseURLRead = true
		return ""
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "write the public address without a path, such as https://account.example.com"
	}
	c.BaseURL, c.baseURLRead = u.Scheme+"://"+u.Host, true
	return ""
}

func required(value string) string {
	if strings.TrimSpace(value) == "" {
		return "write a path"
	}
	return ""
}

func parseText(field func(*Config) *string) func(*Config, string) string {
	return func(c *Config, value string) string {
		*field(c) = value
		return required(value)
	}
}

const tokenPrefixChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

func parseTokenPrefix(c *Config, value string) string {
	c.TokenPrefix = value
	if value == "" || len(value) > 32 || strings.Trim(value, tokenPrefixChars) != "" {
		return "write 1 to 32 letters, digits, '_', '-' or '.', such as lk_at_"
	}
	return ""
}

func parseScopes(c *Config, value string) string {
	for scope := range strings.SplitSeq(value, ",") {
		scope = strings.TrimSpace(scope)
		if slices.Contains(c.Limits.Scopes, scope) || !models.IsScope(scope) {
			return "write different names without spaces or quotes, comma separated, such as api,reports"
		}
		c.Limits.Scopes = append(c.Limits.Scopes, scope)
	}
	return ""
}

// longestLifespan keeps sums of times far from overflow.
const longestLifespan = 100 * 365 * 24 * time.Hour

func parseMaxLifespan(c *Config, value string) string {
	d, err := time.ParseDuration(value)
	c.Limits.MaxLifespan = int64(d.Seconds())
	if err != nil || c.Limits.MaxLifespan < models.MinLifespan || d > longestLifespan {
		return "write a time of at least 1m and at most 876000h, such as 8760h"
	}
	return ""
}

// shortestSession leaves room for the minute by which the use of a session is
// noted late.
const shortestSession = 5 * time.Minute

func parseDuration(field func(*Config) *time.Duration) func(*Config, string) string {
	return func(c *Config, value string) string {
		d, err := time.ParseDuration(value)
		*field(c) = d
		if err != nil || d < shortestSession || d > longestLifespan {
			return "write a time of at least 5m, such as 12h"
		}
		return ""
	}
}

func parseKeep(field func(*Config) *time.Duration) func(*Config, string) string {
	return func(c *Config, value string) string {
		d, err := time.ParseDuration(value)
		*field(c) = d
		if err != nil || d < 0 || d > longestLifespan {
			return "write a time of 0s or more, such as 24h"
		}
		return ""
	}
}

// shortestAudit leaves time to read what was done.
const shortestAudit = 24 * time.Hour

func parseKeepAudit(c *Config, value string) string {
	d, err := time.ParseDuration(value)
	c.Keep.Audit = d
	if err != nil || d < shortestAudit || d > longestLifespan {
		return "write a time of at least 24h, such as 8760h"
	}
	return ""
}

func parseAllowHTTP(c *Config, value string) string {
	allow, err := strconv.ParseBool(value)
	c.allowHTTP, c.allowHTTPRead = allow, err == nil
	if err != nil {
		return "write true or false"
	}
	return ""
}

func parseBool(field func(*Config) *bool) func(*Config, string) string {
	return func(c *Config, value string) string {
		var err error
		if *field(c), err = strconv.ParseBool(value); err != nil {
			return "write true or false"
		}
		return ""
	}
}

func parseDocsURL(c *Config, value string) string {
	u, err := url.Parse(value)
	c.DocsURL = value
	if value != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return "write an address that begins with https://"
	}
	return ""
}

func parseProxies(c *Config, value string) string {
	for text := range strings.SplitSeq(value, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		_, network, err := net.ParseCIDR(text)
		if err != nil {
			return "write networks such as 10.0.0.0/8,192.0.2.7/32"
		}
		if ones, _ := network.Mask.Size(); ones == 0 {
			return "name the proxies: a network of all addresses lets anyone choose their own address"
		}
		c.TrustedProxies = append(c.TrustedProxies, network)
	}
	return ""
}

func parseLog(c *Config, value string) string {
	c.LogJSON = value == "json"
	if value != "text" && value != "json" {
		return "write text or json"
	}
	return ""
}

func parseSignUp(c *Config, value string) string {
	c.SignUp = value == "open"
	if value != "open" && value != "closed" {
		return "write open or closed"
	}
	return ""
}
