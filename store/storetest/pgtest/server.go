package pgtest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Server returns the URL of the server for tests, as a user that may create databases. Where
// LATCHKEY_TEST_POSTGRES names none, scripts/with-postgres.sh starts one for this process.
func Server(t testing.TB) string {
	t.Helper()
	server, err := theServer()
	if err != nil {
		t.Fatalf("no PostgreSQL server for tests: %v", err)
	}
	return server
}

var theServer = sync.OnceValues(func() (string, error) {
	server := os.Getenv("LATCHKEY_TEST_POSTGRES")
	if server == "" {
		return started()
	}
	if parsed, err := url.Parse(server); err != nil || parsed.Scheme != "postgres" && parsed.Scheme != "postgresql" {
		return "", errors.New("LATCHKEY_TEST_POSTGRES is not a URL that begins with postgres://")
	}
	return server, nil
})

// lifeline is held open for as long as this process lives, and ends with it however it ends;
// the script then removes the server.
var lifeline io.WriteCloser //nolint:unused // held, not read

func started() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	var said bytes.Buffer
	script := exec.Command(filepath.Join(root, "scripts", "with-postgres.sh"), "sh", "-c", `echo "$LATCHKEY_TEST_POSTGRES" && exec cat >/dev/null`) //nolint:noctx // ends with this process
	script.Stderr = &said
	if lifeline, err = script.StdinPipe(); err != nil {
		return "", err
	}
	out, err := script.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := script.Start(); err != nil {
		return "", err
	}
	server, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = script.Wait() // until then said is written to
		return "", fmt.Errorf("scripts/with-postgres.sh: %s", bytes.TrimSpace(said.Bytes()))
	}
	return strings.TrimSpace(server), nil
}

// moduleRoot looks for go.mod above the folder of the package under test.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("found no go.mod above the folder of the test")
		}
		folder = parent
	}
}
