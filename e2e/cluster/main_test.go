// Package cluster tests several nodes: the built program in many processes on one
// PostgreSQL database, behind HAProxy without sticky sessions, and what goes wrong there.
package cluster

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/latchkey/latchkey/e2e/harness"
)

const patience = harness.Patience

// eventually is what most tests wait with.
var eventually = harness.Eventually

var (
	// binary is the program under test.
	binary string
	// database is the server that the nodes share. Unlike that of other tests it keeps what
	// it has committed: it is stopped in the middle.
	database *postgres
)

func TestMain(m *testing.M) {
	if address := os.Getenv(holdVariable); address != "" {
		hold(address)
		return
	}
	harness.Main(m, func(dir, path string) (stop func(), err error) {
		binary = path
		if database, err = newPostgres(filepath.Join(dir, "postgres")); err != nil {
			return nil, err
		}
		return func() { database.stop("immediate") }, nil
	})
}
