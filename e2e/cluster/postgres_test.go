package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/latchkey/latchkey/e2e/harness"
)

// postgres is a server that tests stop and start.
type postgres struct {
	dir, bin, port string
	owner          *syscall.Credential
}

func newPostgres(dir string) (*postgres, error) {
	programs, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if found, err := exec.LookPath("initdb"); err == nil {
		programs = append([]string{found}, programs...)
	}
	if len(programs) == 0 {
		return nil, errors.New("found no initdb: install PostgreSQL (Debian: apt-get install postgresql)")
	}
	p := &postgres{dir: dir, bin: filepath.Dir(programs[len(programs)-1])}
	var err error
	if p.port, err = harness.FreePort(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 { // as whom PostgreSQL does not run
		p.owner = &syscall.Credential{Uid: 65534, Gid: 65534}
		if err := os.Chown(dir, 65534, 65534); err != nil {
			return nil, err
		}
	}
	if err := p.run("initdb", "-D", p.data(), "-U", "latchkey", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, err
	}
	// A node in a network of its own comes from there.
	rules := "host all all 127.0.0.1/32 trust\nhost all all 10.77.0.0/16 trust\n"
	if err := os.WriteFile(filepath.Join(p.data(), "pg_hba.conf"), []byte(rules), 0o644); err != nil {
		return nil, err
	}
	return p, p.start()
}

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *postgres) run(program string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), filepath.Join(p.bin, program), args...)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	log, err := os.OpenFile(filepath.Join(p.dir, "output"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log // a pipe would stay open as long as the server
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s: %w\n%s", program, err, said)
	}
	return nil
}

// start returns once the server takes connections. What is committed is on the disk.
func (p *postgres) start() error {
	return p.run("pg_ctl", "-D", p.data(), "-l", filepath.Join(p.dir, "log"), "-w", "-t", "60", "-o",
		"-p "+p.port+" -c listen_addresses=* -c unix_socket_directories= -c max_connections=400 -c log_min_messages=warning", "start")
}

func (p *postgres) stop(mode string) {
	_ = p.run("pg_ctl", "-D", p.data(), "-m", mode, "-w", "-t", "60", "stop")
}

func (p *postgres) address(host, name string) string {
	return "postgres://latchkey@" + host + "/" + name + "?sslmode=disable"
}

// create makes an empty database and returns its name.
func (p *postgres) create(t testing.TB) string {
	t.Helper()
	name := "cluster_" + uuid.New().String()[:8]
	p.exec(t, "postgres", "CREATE DATABASE "+name)
	return name
}

func (p *postgres) connect(t testing.TB, name string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), p.address("127.0.0.1:"+p.port, name))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func (p *postgres) exec(t testing.TB, name, text string, args ...any) {
	t.Helper()
	conn := p.connect(t, name)
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(context.Background(), text, args...); err != nil {
		t.Fatal(err)
	}
}

func (p *postgres) number(t testing.TB, name, text string, args ...any) int64 {
	t.Helper()
	conn := p.connect(t, name)
	defer func() { _ = conn.Close(context.Background()) }()
	var n int64
	if err := conn.QueryRow(context.Background(), text, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
