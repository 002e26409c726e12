package webhooks_test

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/latchkey/latchkey/webhooks"
)

func newEmptyPool() *x509.CertPool { return x509.NewCertPool() }

// resolver asks a name server of the test, which says of every name what addressOf
// says of it, or that there is no such name.
func resolver(t *testing.T, addressOf func(name string) (netip.Addr, bool)) *net.Resolver {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(answerDNS(buffer[:n], addressOf), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func answerDNS(question []byte, addressOf func(name string) (netip.Addr, bool)) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.Additionals = true, nil
	q := m.Questions[0]
	address, ok := addressOf(q.Name.String())
	switch {
	case !ok:
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.AResource{A: address.As4()},
		}}
	}
	packed, _ := m.Pack()
	return packed
}

func nowhere(t *testing.T) *net.Resolver {
	return resolver(t, func(string) (netip.Addr, bool) { return netip.Addr{}, false })
}

// G7: a name that leads into the network is refused when the connection is made, also
// one that led elsewhere when it was looked at before.
func TestNamesThatLeadInside(t *testing.T) {
	receiver := newReceiver(t)
	port := receiver.URL[len("https://127.0.0.1"):]
	var asked atomic.Int64
	dns := resolver(t, func(name string) (netip.Addr, bool) {
		if name == "changes.example." && asked.Add(1) == 1 {
			return netip.MustParseAddr("93.184.215.14"), true
		}
		return netip.MustParseAddr("127.0.0.1"), true
	})
	policy := webhooks.Policy{}
	for _, name := range []string{"inside.example", "changes.example"} {
		address, problem := policy.Check("https://" + name + port)
		if problem != "" {
			t.Fatal(problem)
		}
		if name == "changes.example" {
			if found, err := dns.LookupNetIP(t.Context(), "ip4", name); err != nil || found[0].String() != "93.184.215.14" {
				t.Fatal(found, err)
			}
		}
		r := newRoom(t, policy, webhooks.WithRoots(receiver.roots()), webhooks.WithResolver(dns))
		r.set(address)
		r.test()
		r.round()
		if d := r.last(); d.Problem != "The address leads to a private network or to Latchkey itself, which is not allowed." || d.Status != 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if len(receiver.all()) > 0 {
		t.Error("it was reached all the same")
	}
	r := newRoom(t, allowed, webhooks.WithRoots(receiver.roots()), webhooks.WithResolver(dns))
	r.set("https://inside.example" + port)
	r.test()
	r.round()
	if d := r.last(); d.Problem != "The receiver’s certificate is for another host." {
		t.Errorf("with private ones allowed: %+v", d)
	}
}

// What was entered while the setting allowed it is refused once it does not.
func TestSettingIsTakenBack(t *testing.T) {
	reached := false
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer plain.Close()
	r := newRoom(t, webhooks.Policy{})
	r.set(plain.URL)
	r.test()
	r.round()
	if d := r.last(); reached || d.Problem != "The address leads to a private network or to Latchkey itself, which is not allowed." {
		t.Errorf("%+v", d)
	}
}

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"93.184.215.14": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.0": true, "100.63.255.255": true, "100.128.0.0": true,
		"2606:4700:4700::1111": true, "2a00:1450:4001::1": true, "64:ff9b::1.1.1.1": true, "::ffff:1.1.1.1": true, "223.255.255.255": true,

		"127.0.0.1": false, "127.9.9.9": false, "0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "100.127.255.255": false, "192.0.0.1": false, "192.0.2.1": false, "198.18.0.1": false, "198.19.255.255": false,
		"198.51.100.1": false, "203.0.113.1": false, "192.88.99.1": false, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::7f00:1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false,
		"64:ff9b::127.0.0.1": false, "64:ff9b::10.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2002:a00:1::": false,
		"2001::1": false, "2001:db8::1": false, "2001:10::1": false, "3fff::1": false, "fc00::1": false, "fd12::1": false, "fe80::1": false, "fe80::1%eth0": false,
		"fec0::1": false, "ff02::1": false, "100::1": false, "5f00::1": false, "2606:4700:4700::1111%eth0": false,
	} {
		if got := webhooks.Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if webhooks.Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func TestAddressesAsTyped(t *testing.T) {
	policy := webhooks.Policy{OwnHost: "latchkey.example.com"}
	for address, want := range map[string]string{
		" https://hooks.example.com/a?b=c ":        "",
		"https://hooks.example.com:8443/":          "",
		"https://1.1.1.1/":                         "",
		"":                                         "Enter the address that events are sent to.",
		"hooks.example.com":                        "Enter an address such as https://example.com/latchkey.",
		"https://":                                 "Enter an address such as https://example.com/latchkey.",
		"https:hooks.example.com":                  "Enter an address such as https://example.com/latchkey.",
		"https://hooks.example.com/a b":            "Enter an address such as https://example.com/latchkey.",
		"https://hooks.example.com\r\nX: y":        "Enter an address such as https://example.com/latchkey.",
		`https:\\hooks.example.com`:                "Enter an address such as https://example.com/latchkey.",
		"http://hooks.example.com/":                "The address must begin with https://.",
		"ftp://hooks.example.com/":                 "The address must begin with https://.",
		"file://hooks.example.com/etc/passwd":      "The address must begin with https://.",
		"https://ana:secret@hooks.example.com/":    "Leave out the name and password: deliveries are signed instead.",
		"https://hooks.example.com/#x":             "Leave out the part after #: it is not sent.",
		"https://127.0.0.1/":                       "This address is not public. Whoever runs Latchkey can allow private ones.",
		"https://[::1]:8443/":                      "This address is not public. Whoever runs Latchkey can allow private ones.",
		"https://[::ffff:10.0.0.1]/":               "This address is not public. Whoever runs Latchkey can allow private ones.",
		"https://localhost/":                       "This address is not public. Whoever runs Latchkey can allow private ones.",
		"https://LOCALHOST./":                      "This address is not public. Whoever runs Latchkey can allow private ones.",
		"https://a.localhost/":                     "This address is not public. Whoever runs Latchkey can allow private ones.",
		"https://Latchkey.Example.com/user/api_v2": "This is Latchkey’s own address. Enter the receiver’s.",
		"https://latchkey.example.com.:443/oauth2": "This is Latchkey’s own address. Enter the receiver’s.",
	} {
		if _, got := policy.Check(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
	for _, address := range []string{"http://127.0.0.1:9000/hook", "https://localhost/"} {
		if got, problem := allowed.Check(address); got != address || problem != "" {
			t.Errorf("%q where private ones are allowed: %q %q", address, got, problem)
		}
	}
	if _, problem := allowed.Check("ftp://localhost/"); problem != "The address must begin with https:// or http://." {
		t.Errorf("ftp where private ones are allowed: %q", problem)
	}
}
