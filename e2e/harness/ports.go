package harness

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
)

var takenPorts = struct {
	sync.Mutex
	all map[int]bool
}{all: map[int]bool{}}

// FreePort is one that nobody listens on now, for programs that cannot say theirs. It is
// below those that systems hand out by themselves, and each is given once.
func FreePort() (string, error) {
	takenPorts.Lock()
	defer takenPorts.Unlock()
	for port := 20000 + os.Getpid()%8000; port < 32000; port++ {
		if takenPorts.all[port] {
			continue
		}
		takenPorts.all[port] = true
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) //nolint:noctx // finds a port
		if err == nil {
			return fmt.Sprint(port), listener.Close()
		}
	}
	return "", errors.New("no port is free")
}

// FreeAddr is an address on this machine with such a port.
func FreeAddr(t testing.TB) string {
	t.Helper()
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", port)
}
