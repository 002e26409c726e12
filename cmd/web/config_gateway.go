package main

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/provider"
)

func parseUpstreams(c *Config, value string) string {
	routes, err := models.ParseUpstreams(value)
	if err != nil {
		return err.Error()
	}
	c.Upstreams = routes
	return ""
}

func parseGatewayHost(c *Config, value string) string {
	u, err := url.Parse("http://" + value)
	if value != "" && (err != nil || u.Host != value || u.Port() != "") {
		return "write a host name without a port, such as api.example.com"
	}
	c.GatewayHost = strings.ToLower(strings.TrimSuffix(value, "."))
	return ""
}

func parseUpstreamCA(c *Config, value string) string {
	if value == "" {
		return ""
	}
	roots, err := provider.ReadRoots(value)
	if err != nil {
		return "write the path of a PEM file with one certificate or more: " + err.Error()
	}
	c.UpstreamCAs = roots
	return ""
}

const minPointsSecret = 16

func parsePointsSecret(c *Config, value string) string {
	if value != "" && len(value) < minPointsSecret {
		return "write at least 16 characters, better 32 random ones"
	}
	c.PointsSecret = models.NewSecret(value)
	return ""
}

// ourPaths are the first segments of all paths that are answered here or may be one day.
var ourPaths = []string{
	"", ".well-known", "admin", "api", "calendar", "confirm", "docs", "email", "favicon.ico", "forgot", "healthz", "hooks", "invitations", "login", "logout",
	"metrics", "oauth2", "readyz", "reset", "robots.txt", "setup", "signup", "static", "team", "theme", "user",
}

// checkGateway holds the gateway's routes against the other settings.
func (c Config) checkGateway() []string {
	var wrong []string
	say := func(route models.Upstream, problem string) {
		wrong = append(wrong, "--upstreams (LATCHKEY_UPSTREAMS): the route "+route.Path+": "+problem)
	}
	for _, route := range c.Upstreams {
		first, _, _ := strings.Cut(strings.TrimPrefix(route.Path, "/"), "/")
		if c.GatewayHost == "" && slices.Contains(ourPaths, strings.ToLower(first)) {
			say(route, "Latchkey itself answers there: choose another path, or give the gateway a host of its own in LATCHKEY_GATEWAY_HOST")
		}
		if route.Target.Scheme == "http" && !c.allowHTTP && !nearby(route.Target.Hostname()) {
			say(route, "beyond this machine and private networks write https, or set LATCHKEY_ALLOW_HTTP=true to send calls in the clear")
		}
	}
	if base, err := url.Parse(c.BaseURL); err == nil && c.GatewayHost != "" && strings.EqualFold(base.Hostname(), c.GatewayHost) {
		wrong = append(wrong, "--gateway-host (LATCHKEY_GATEWAY_HOST): write another host than the pages have in LATCHKEY_BASE_URL")
	}
	return wrong
}

// nearby tells whether a host is this machine or in a network that is not public: by its
// address, or by a name that no public name server knows.
func nearby(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !strings.Contains(host, ".") {
		return true
	}
	return slices.ContainsFunc([]string{".localhost", ".local", ".internal", ".home.arpa", ".svc"}, func(end string) bool { return strings.HasSuffix(host, end) })
}
