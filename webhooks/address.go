package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"github.com/latchkey/latchkey/models"
)

// Policy says where webhooks may lead.
type Policy struct {
	// Private allows private and loopback addresses, and http.
	Private bool
	// OwnHost is the name under which Latchkey itself is reached.
	OwnHost string
}

// errRefused means that a connection would lead where webhooks may not.
var errRefused = errors.New("the address is not a public one")

// Check trims an address as typed and checks what can be known before it is used. The
// second result is the sentence to show where it cannot be.
func (p Policy) Check(raw string) (address, problem string) {
	address, problem = models.CheckWebhookURL(raw, p.Private)
	if problem != "" || p.Private {
		return address, problem
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", "Enter an address such as https://example.com/latchkey."
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	ip, err := netip.ParseAddr(host)
	switch {
	case p.own(u):
		return "", "This is Latchkey’s own address. Enter the receiver’s."
	case err == nil && !public(ip), host == "localhost", strings.HasSuffix(host, ".localhost"):
		return "", "This address is not public. Whoever runs Latchkey can allow private ones."
	}
	return address, ""
}

func (p Policy) own(u *url.URL) bool {
	return p.OwnHost != "" && strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), p.OwnHost)
}

// dialed refuses a connection by the address that it is about to be made to: a name may
// resolve to another one than before.
func (p Policy) dialed(_ context.Context, network, address string, _ syscall.RawConn) error {
	if p.Private {
		return nil
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") {
		return fmt.Errorf("%w: %s %s", errRefused, network, address)
	}
	if !public(at.Addr()) {
		return fmt.Errorf("%w: %s", errRefused, at.Addr())
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("%w: this host’s own addresses are not known: %w", errRefused, err)
	}
	for _, known := range own {
		if prefix, err := netip.ParsePrefix(known.String()); err == nil && prefix.Addr().Unmap() == at.Addr().Unmap() {
			return fmt.Errorf("%w: %s is this host", errRefused, at.Addr())
		}
	}
	return nil
}

// notPublic4 and notPublic6 are what the registries of special-purpose addresses
// (RFC 6890 and after) do not call globally reachable, multicast, and addresses that
// hide another one inside.
var (
	notPublic4 = prefixes(
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	)
	notPublic6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
	global6    = netip.MustParsePrefix("2000::/3")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// public tells whether an address belongs to the internet at large.
func public(ip netip.Addr) bool {
	ip = ip.Unmap()
	switch {
	case !ip.IsValid(), ip.Zone() != "":
		return false
	case ip.Is4():
		return !within(ip, notPublic4)
	case nat64.Contains(ip):
		b := ip.As16()
		return public(netip.AddrFrom4([4]byte(b[12:])))
	}
	return global6.Contains(ip) && !within(ip, notPublic6)
}

func within(ip netip.Addr, networks []netip.Prefix) bool {
	for _, network := range networks {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}
