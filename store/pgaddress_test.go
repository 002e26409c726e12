package store_test

import (
	"strings"
	"testing"

	"github.com/latchkey/latchkey/store"
)

// C2: off this machine nothing but TLS that proves whose the server is.
func TestAddressInTheClear(t *testing.T) {
	for address, clear := range map[string]bool{
		"postgres://u:p@db.example.com/x":                                        true, // the driver would fall back to clear text
		"postgres://u:p@db.example.com/x?sslmode=disable":                        true,
		"postgres://u:p@db.example.com/x?sslmode=require":                        true,
		"postgres://u:p@db.example.com/x?sslmode=verify-full":                    false,
		"postgres://u:p@127.0.0.1,db.example.com/x?sslmode=disable":              true,
		"postgres://u:p@db.example.com,db2.example.com/x?sslmode=verify-full":    false,
		"postgres://u:p@127.0.0.1:5433/x":                                        false,
		"postgres://u:p@localhost/x?sslmode=disable":                             false,
		"postgres://u:p@/x?host=/var/run/postgresql":                             false,
		"postgres://u:p@127.0.0.1/x?host=db.example.com":                         true,
		"postgresql://u:p@[::1]/x":                                               false,
		"postgres://u:p@127.0.0.1.example.com/x":                                 true,
		"postgres://u:p@db.example.com/x?sslmode=verify-full&sslmode=disable":    true,
		"postgres://u:p@db.example.com/x?sslmode=verify-full&host=b.example.com": false,
	} {
		if got, err := store.InTheClear(address); err != nil || got != clear {
			t.Errorf("%s: %v, %v", address, got, err)
		}
	}
}

// C1, A2: an address that cannot be read is told of with what to write, and not with its password.
func TestAddressThatCannotBeRead(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://u:hunter2-canary@db:port/x":                                           "write an address such as ",
		"postgres://u:hunter2@canary@localhost/x":                                         "percent-encoded",
		"postgres://u:canary%zz@localhost/x":                                              "percent-encoded",
		"postgres://u:canary@db/x?sslmode=verify":                                         "sslmode=verify-full",
		"postgres://u:canary@db/x?sslmode=verify-full&sslrootcert=/none/ca.pem":           "correct the path in its sslrootcert: open /none/ca.pem: no such file",
		"postgres://u:canary@db/x?sslmode=verify-full&sslcert=/none/c.pem&sslkey=/none/k": "correct the path in its sslcert: ",
	} {
		if _, err := store.InTheClear(address); err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestShownAddress(t *testing.T) {
	for address, want := range map[string]string{
		"data/latchkey.db": "data/latchkey.db",
		"postgres://ana:hunter2@db.example.com:5433/latchkey?password=hunter2": "postgres://ana@db.example.com:5433/latchkey",
		"postgres://db:port/hunter2":       "postgres://",
		"postgresql:///latchkey?host=/tmp": "postgresql:///latchkey",
	} {
		if got := store.ShownAddress(address); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}
