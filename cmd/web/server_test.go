package main

import (
	"net"
	"net/http/httptest"
	"testing"
)

// G3: what a client says of its own address counts only behind a named proxy.
func TestAddressComesFromNamedProxiesOnly(t *testing.T) {
	_, proxies, err := net.ParseCIDR("10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		proxies   []*net.IPNet
		peer      string
		forwarded []string
		want      string
	}{
		"no proxies":               {nil, "127.0.0.1:5", []string{"192.0.2.1"}, "127.0.0.1"},
		"a named proxy":            {[]*net.IPNet{proxies}, "10.0.0.1:5", []string{"192.0.2.1"}, "192.0.2.1"},
		"somebody else":            {[]*net.IPNet{proxies}, "192.0.2.9:5", []string{"192.0.2.1"}, "192.0.2.9"},
		"loopback is nobody":       {[]*net.IPNet{proxies}, "127.0.0.1:5", []string{"192.0.2.1"}, "127.0.0.1"},
		"read from the right":      {[]*net.IPNet{proxies}, "10.0.0.1:5", []string{"203.0.113.66, 192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		"two headers":              {[]*net.IPNet{proxies}, "10.0.0.1:5", []string{"203.0.113.66", "192.0.2.1"}, "192.0.2.1"},
		"nothing but nonsense":     {[]*net.IPNet{proxies}, "10.0.0.1:5", []string{"nonsense"}, "10.0.0.1"},
		"a proxy that adds no one": {[]*net.IPNet{proxies}, "10.0.0.1:5", nil, "10.0.0.1"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = test.peer
		r.Header["X-Forwarded-For"] = test.forwarded
		r.Header.Set("X-Real-Ip", "203.0.113.77")
		if got := addressFrom(test.proxies)(r); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
