package store

import (
	"net"
	"syscall"
	"time"
)

const (
	// quietFor, probeEvery and probes end a connection whose other side is gone without a
	// word, after 11 seconds.
	quietFor   = 5 * time.Second
	probeEvery = 2 * time.Second
	probes     = 3
	// unheardFor is after how long what was sent, and not taken by the other side, ends it.
	unheardFor = 5 * time.Second
)

// pgDialer connects to the server. A network that swallows packets tells nobody: without
// an end of its own a query would wait for a quarter of an hour.
func pgDialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: quietFor, Interval: probeEvery, Count: probes},
		Control: func(network, _ string, conn syscall.RawConn) error {
			if network == "unix" {
				return nil
			}
			return endUnheard(conn, unheardFor)
		},
	}
}
