package main

import (
	"os"
	"slices"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

func parseSMTPURL(c *Config, value string) string {
	cas := c.Mail.CAs
	var problem string
	c.Mail, problem = mail.ParseServer(value)
	c.Mail.CAs = cas
	return problem
}

func parseSMTPCA(c *Config, value string) string {
	if value == "" {
		return ""
	}
	const instead = "write the path of a PEM file with one certificate or more"
	pem, err := os.ReadFile(value) //nolint:gosec // the operator's own setting
	if err != nil {
		return instead + ": it cannot be read"
	}
	pool, ok := mail.ParseCAs(pem)
	if !ok {
		return instead
	}
	c.Mail.CAs = pool
	return ""
}

// openSettings may be read by every operator in the browser. What is not named here is
// shown as set or not: a new setting that holds a password tells nothing by mistake.
var openSettings = []string{
	"addr", "base-url", "database", "keys", "token-prefix", "scopes", "max-lifespan", "session-idle", "session-max",
	"keep-manual-tokens", "keep-issued-tokens", "keep-audit", "allow-http", "docs-url", "trusted-proxies", "webhook-private", "log", "signup", "require-second-factor",
	"smtp-ca", "oidc-issuer", "oidc-client-id", "oidc-name", "oidc-domains", "oidc-team", "oidc-role", "oidc-ca",
	"upstreams", "gateway-host", "upstream-ca", "metrics-addr", "metrics-open", "drain-delay", "drain-timeout",
	"tls-cert", "tls-key", "acme", "acme-agree", "acme-email", "acme-directory", "acme-ca", "redirect-addr",
}

func shownSetting(s setting, value string) models.Setting {
	shown := models.Setting{Name: s.variable(), Default: s.fallback, Set: value != s.fallback}
	if slices.Contains(openSettings, s.name) {
		shown.Value, shown.Open = value, true
	}
	if s.name == "database" {
		shown.Value = store.ShownAddress(value)
	}
	return shown
}
