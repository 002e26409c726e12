package main

import (
	"net"
	"net/netip"
	"strconv"
	"time"
)

// longestDrain keeps a stop from looking like a program that hangs.
const longestDrain = time.Hour

func parseMetricsAddr(c *Config, value string) string {
	if value == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(value)
	number, portErr := strconv.ParseUint(port, 10, 16)
	ip, ipErr := netip.ParseAddr(host)
	if err != nil || portErr != nil || host != "" && host != "localhost" && ipErr != nil {
		return "write an IP address and a port, such as 127.0.0.1:9464"
	}
	c.MetricsAddr = net.JoinHostPort(host, strconv.FormatUint(number, 10))
	c.metricsInside = host == "localhost" || ipErr == nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast())
	return ""
}

// checkMetrics refuses to show numbers to everybody by mistake: they are for a network that
// is not public.
func (c *Config) checkMetrics() []string {
	if c.MetricsAddr == "" || c.metricsInside || c.MetricsOpen {
		return nil
	}
	return []string{"--metrics-addr (LATCHKEY_METRICS_ADDR): write a loopback or private address, " +
		"or set LATCHKEY_METRICS_OPEN=true where a firewall keeps everybody else out"}
}

func parseDrain(field func(*Config) *time.Duration, least time.Duration) func(*Config, string) string {
	return func(c *Config, value string) string {
		d, err := time.ParseDuration(value)
		*field(c) = d
		if err != nil || d < least || d > longestDrain {
			return "write a time of " + least.String() + " to 1h, such as 10s"
		}
		return ""
	}
}
