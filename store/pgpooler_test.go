package store_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	program "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// pooled starts PgBouncer before a database, which lends its connections for one
// transaction each, and returns the database's address behind it.
func pooled(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // finds a port
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_ = listener.Close()
	server := fmt.Sprintf("host=%s port=%s user=%s", u.Hostname(), u.Port(), u.User.Username())
	if password, given := u.User.Password(); given { // an empty one is no setting
		server += " password='" + password + "'"
	}
	folder, err := os.MkdirTemp("", "pgbouncer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	config := filepath.Join(folder, "pgbouncer.ini")
	text := fmt.Sprintf("[databases]\n* = %s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %s\nunix_socket_dir =\n"+
		"auth_type = any\npool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 200\n", server, port)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	pgbouncer := program.Command("/usr/sbin/pgbouncer", config) //nolint:noctx // ends with the test
	if os.Getuid() == 0 {
		// PgBouncer does not run as root.
		pgbouncer.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	var output strings.Builder
	pgbouncer.Stdout, pgbouncer.Stderr = &output, &output
	if err := pgbouncer.Start(); err != nil {
		t.Fatalf("PgBouncer, of Debian's package pgbouncer, does not start: %v", err)
	}
	t.Cleanup(func() { _, _ = pgbouncer.Process.Kill(), pgbouncer.Wait() })
	u.Host = "127.0.0.1:" + port
	for range 100 {
		if conn, err := net.Dial("tcp", u.Host); err == nil { //nolint:noctx // answers at once
			_ = conn.Close()
			return u.String()
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("PgBouncer does not listen:\n%s", output.String())
	return ""
}

// Behind a pooler that lends connections for single transactions all works as without it,
// given a direct address for what belongs to a session.
func TestBehindAPooler(t *testing.T) {
	direct := pgtest.Database(t, migrations.Postgres(), storetest.Migrate)
	address := pooled(t, direct)
	now := func() models.Time { return storetest.Start }
	open := func(options ...store.Options) *storetest.DB {
		s, err := store.Open(address, now, options...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return &storetest.DB{Store: s, Path: direct}
	}
	here, there := open(store.Options{Direct: direct}), open(store.Options{Direct: direct})
	here.Until(storetest.Start)
	heard := make(chan models.Notice, 1000)
	there.Subscribe(func(n models.Notice) { heard <- n })
	ana := here.Member(t, "northwind", "ana", models.RoleOwner)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			app := here.Application(t, ana, fmt.Sprint("Bot ", i))
			here.Tokens(t, app, 100, models.Token{})
			if _, err := here.RevokeTokens(t.Context(), ana, app.ID); err != nil {
				t.Error(err)
			}
			if list, err := there.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{}); err != nil || list.Total == 0 {
				t.Errorf("%d applications, %v", list.Total, err)
			}
		})
	}
	all.Wait()
	list, err := there.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{})
	if err != nil || list.Total != 20+1 {
		t.Fatalf("%d applications, %v", list.Total, err)
	}
	hears(t, heard, list.Rows[0].ID)
	if _, err := there.ForeignVersion(t.Context()); err != nil {
		t.Error(err)
	}

	for _, options := range []store.Options{{}, {Direct: address}} {
		if _, err := store.Open(address, now, options); err == nil || !strings.Contains(err.Error(), "set LATCHKEY_DATABASE_DIRECT") {
			t.Errorf("through the pooler alone: %v", err)
		}
	}
}

func hears(t *testing.T, heard <-chan models.Notice, app string) {
	t.Helper()
	limit := time.After(5 * time.Second)
	for {
		select {
		case n := <-heard:
			if n.ApplicationID == app {
				return
			}
		case <-limit:
			t.Fatal("nothing was heard")
		}
	}
}

// Promise 2: notices stay within one database. An address that leads to another one would be heard
// on without a word of what is revoked.
func TestDirectAddressOfAnotherDatabase(t *testing.T) {
	of, other := storetest.Postgres(t), storetest.Postgres(t)
	s, err := store.Open(of.Path, of.Now, store.Options{Direct: other.Path})
	if err == nil {
		_ = s.Close()
		t.Fatal("two databases are taken for one")
	}
	if !strings.Contains(err.Error(), "LATCHKEY_DATABASE_DIRECT") {
		t.Error(err)
	}
}
