package main

import (
	"net/url"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/provider"
	"github.com/latchkey/latchkey/views"
)

// checkProvider holds the settings of the OpenID provider against each other: they
// are all there or none is.
func checkProvider(cmd *cli.Command) []string {
	var wrong []string
	missing := func(name, problem string) {
		wrong = append(wrong, "--"+name+" ("+setting{name: name}.variable()+"): "+problem)
	}
	has := func(name string) bool { return cmd.String(name) != "" }
	if !has("oidc-issuer") {
		for _, name := range []string{"oidc-client-id", "oidc-client-secret", "oidc-name", "oidc-domains", "oidc-team", "oidc-ca"} {
			if has(name) {
				missing("oidc-issuer", "name the provider that --"+name+" is for")
				break
			}
		}
		return wrong
	}
	for _, name := range []string{"oidc-client-id", "oidc-client-secret"} {
		if !has(name) {
			missing(name, "write what the provider gave you for Latchkey")
		}
	}
	if has("oidc-domains") && !has("oidc-team") {
		missing("oidc-team", "name the team that people of --oidc-domains join")
	}
	if has("oidc-team") && !has("oidc-domains") {
		missing("oidc-domains", "say whose addresses may join the team of --oidc-team")
	}
	return wrong
}

// openIDProvider is the provider that the settings name, nil where they name none.
func (c Config) openIDProvider() *provider.Client {
	if c.OIDC.Issuer == "" {
		return nil
	}
	return provider.New(c.OIDC, c.BaseURL+views.ProviderCallbackPath, clock)
}

// formTargets are the origins besides ours to which a form of ours may lead.
func (c Config) formTargets() []string {
	if c.OIDC.Issuer == "" {
		return nil
	}
	return []string{c.OIDC.Origin()}
}

func parseIssuer(c *Config, value string) string {
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(u.Host, " ;,'\"") ||
		u.Scheme != "https" && (u.Scheme != "http" || !onLoopback(u.Hostname())) {
		return "write the provider's https address exactly as its metadata does, such as https://id.example.com"
	}
	c.OIDC.Issuer = value
	if c.OIDC.Name == "" {
		c.OIDC.Name = u.Hostname()
	}
	return ""
}

func parseAny(field func(*Config) *string) func(*Config, string) string {
	return func(c *Config, value string) string {
		*field(c) = value
		return ""
	}
}

func parseClientSecret(c *Config, value string) string {
	c.OIDC.ClientSecret = models.NewSecret(value)
	return ""
}

func parseProviderName(c *Config, value string) string {
	if value == "" {
		return ""
	}
	name, problem := models.CheckName(value)
	if problem == "" {
		c.OIDC.Name = name
	}
	return problem
}

const domainChars = "abcdefghijklmnopqrstuvwxyz0123456789-."

func parseDomains(c *Config, value string) string {
	for text := range strings.SplitSeq(value, ",") {
		domain := strings.ToLower(strings.TrimSpace(text))
		if domain == "" {
			continue
		}
		if strings.Trim(domain, domainChars) != "" || strings.Trim(domain, ".") != domain {
			return "write domains such as example.com,example.org"
		}
		c.OIDC.Newcomers.Domains = append(c.OIDC.Newcomers.Domains, domain)
	}
	return ""
}

func parseNewcomersRole(c *Config, value string) string {
	c.OIDC.Newcomers.Role = models.Role(value)
	if c.OIDC.Newcomers.Role != models.RoleDeveloper && c.OIDC.Newcomers.Role != models.RoleViewer {
		return "write developer or viewer: an owner is made by an owner"
	}
	return ""
}

func parseProviderRoots(c *Config, value string) string {
	if value == "" {
		return ""
	}
	roots, err := provider.ReadRoots(value)
	if err != nil {
		return err.Error()
	}
	c.OIDC.Roots = roots
	return ""
}
