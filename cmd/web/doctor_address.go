package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// soonEnds is how long before its end a certificate should have been renewed.
const soonEnds = 14 * 24 * time.Hour

// checkListen finds out whether the address is free, or Latchkey's already.
func checkListen(ctx context.Context, d doctor, say func(verdict, string)) {
	addr := d.config.Addr
	if _, port, _ := net.SplitHostPort(addr); port == "0" {
		say(warning, addr+" means another port at each start: name one in LATCHKEY_ADDR")
		return
	}
	got, err := ask(ctx, "http://"+dialable(addr), "")
	if err == nil && got.wantsTLS {
		got, err = ask(ctx, d.config.BaseURL, dialable(addr))
	}
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		say(warning, addr+" speaks TLS, and who that is cannot be told: "+why(err))
	case err == nil && got.issuer == d.config.BaseURL:
		say(fine, addr+" is served by Latchkey")
	case err == nil && got.issuer != "":
		say(wrong, fmt.Sprintf("%s is served by the Latchkey of %s: choose another address in LATCHKEY_ADDR, or correct LATCHKEY_BASE_URL", addr, got.issuer))
	case errors.Is(err, syscall.ECONNREFUSED):
		checkFree(ctx, addr, say)
	case err == nil:
		say(wrong, "another program answers at "+addr+": stop it or set LATCHKEY_ADDR")
	default:
		say(wrong, addr+" is no address of this machine that Latchkey answers at: "+why(err))
	}
}

// checkFree holds the address for a moment.
func checkFree(ctx context.Context, addr string, say func(verdict, string)) {
	listener, err := listen(ctx, addr, "LATCHKEY_ADDR")
	if err != nil {
		say(wrong, err.Error())
		return
	}
	_ = listener.Close() // nothing came
	say(fine, addr+" is free: Latchkey does not run")
}

// dialable is where to reach what listens on addr.
func dialable(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "":
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified() && ip.Is4():
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}

// checkBaseURL goes the way of the browsers and programs.
func checkBaseURL(ctx context.Context, d doctor, say func(verdict, string)) {
	base := d.config.BaseURL
	u, err := url.Parse(base)
	if base == "" || err != nil {
		return // the port is not known before the start
	}
	if u.Scheme == "http" && !onLoopback(u.Hostname()) {
		say(warning, base+" sends passwords and tokens in the clear: put a proxy with TLS in front and write https")
	}
	got, err := ask(ctx, base, "")
	var unresolved *net.DNSError
	switch {
	case errors.As(err, &unresolved):
		say(wrong, "no name server knows "+u.Hostname()+": add the name, or correct LATCHKEY_BASE_URL")
	case errors.Is(err, syscall.ECONNREFUSED):
		say(warning, "nothing listens at "+base+": start Latchkey, and the proxy before it where there is one")
	case errors.As(err, new(x509.UnknownAuthorityError)):
		say(wrong, base+" cannot be reached: "+why(err)+". Add that authority to those of this machine, or name its file in SSL_CERT_FILE")
	case err != nil:
		say(wrong, base+" cannot be reached: "+why(err))
	case got.issuer == "":
		say(wrong, fmt.Sprintf("%s answers %d and is not Latchkey: let the proxy pass everything to %s, or correct LATCHKEY_BASE_URL", base, got.status, d.config.Addr))
	case got.issuer != base:
		say(wrong, fmt.Sprintf("at %s answers the Latchkey of %s: give both the same LATCHKEY_BASE_URL", base, got.issuer))
	default:
		say(fine, base+" leads to Latchkey")
	}
	if left := got.validUntil.Sub(d.now); !got.validUntil.IsZero() && left < soonEnds {
		say(warning, fmt.Sprintf("the certificate of %s ends in %d days: see why it was not renewed", base, int(left.Hours()/24)))
	} else if !got.validUntil.IsZero() {
		say(fine, fmt.Sprintf("its certificate is good for %d days", int(left.Hours()/24)))
	}
}

const (
	// wideIPv4 and wideIPv6 are prefixes of networks too large to be proxies alone.
	wideIPv4 = 16
	wideIPv6 = 48
)

func checkProxies(_ context.Context, d doctor, say func(verdict, string)) {
	host, _, _ := net.SplitHostPort(d.config.Addr)
	proxies := d.config.TrustedProxies
	local := netip.MustParseAddr("127.0.0.1")
	if ip, err := netip.ParseAddr(host); err == nil {
		local = ip
	}
	trustsLocal := false
	for _, network := range proxies {
		trustsLocal = trustsLocal || network.Contains(local.AsSlice())
		ones, bits := network.Mask.Size()
		if !network.IP.IsPrivate() && !network.IP.IsLoopback() && (bits == 32 && ones < wideIPv4 || bits == 128 && ones < wideIPv6) {
			say(warning, network.String()+" holds more than your proxies, and whoever connects from there chooses the address that limits and logs go by: name the proxies alone")
		}
	}
	switch {
	case len(proxies) == 0 && strings.HasPrefix(d.config.BaseURL, "https://") && !d.config.TLS.on():
		say(warning, "everybody comes from the address of the proxy that speaks https for Latchkey, so limits hold for all of them together: name it in LATCHKEY_TRUSTED_PROXIES")
	case len(proxies) > 0 && onLoopback(host) && !trustsLocal:
		say(warning, "Latchkey listens on "+host+", where only a proxy of this machine reaches it, and does not trust that one: add "+local.String()+"/32 to LATCHKEY_TRUSTED_PROXIES")
	case len(proxies) > 0:
		say(fine, "proxies may tell the address of a client")
	default:
		say(fine, "none: clients are known by the address that they connect from")
	}
}
