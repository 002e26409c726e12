package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// lab holds everything that is running or was measured.
type lab struct {
	options
	progress io.Writer
	dir      string // removed at the end
	log      *os.File
	hello    *server
	web      *server // nil while it is stopped
	proxy    *server // nil until something is measured beside it
	routes   string  // of the gateway
	// address is that of the product's database: a file, or on a server, from which
	// dropDatabase removes it.
	address      string
	dropDatabase func() error
	world        world
	// filled are the row IDs of the tokens put in by SQL that have not expired;
	// expired those that expireSome took last.
	filled, expired span

	facts   facts
	bare    map[int][]measured
	results []result
	notes   []string
}

// facts are the figures that stand below the table.
type facts struct {
	idle   float64 // MB
	start  float64 // ms
	synced float64 // ms for 4 KiB
}

// newLab makes the folder, builds both programs and starts the bare one.
func newLab(ctx context.Context, o options, progress io.Writer) (*lab, error) {
	if _, err := exec.LookPath("wrk"); err != nil {
		return nil, errors.New("wrk is not in PATH: run make bench as root, or install it (Debian, Ubuntu: apt-get install wrk)")
	}
	dir, err := tempOnDisk(o.dir)
	if err != nil {
		return nil, err
	}
	l := &lab{options: o, progress: progress, dir: dir, bare: map[int][]measured{}, dropDatabase: func() error { return nil }}
	l.address = l.path(databaseFile)
	if err := l.open(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *lab) open(ctx context.Context) error {
	l.say("data in %s", l.dir)
	if err := writeScripts(l.dir); err != nil {
		return err
	}
	for name, pkg := range map[string]string{"web": "cmd/web", "bare": "bench/hello", "proxy": "bench/proxy"} {
		l.say("building %s", pkg)
		build := command(ctx, "go", "build", "-trimpath", "-o", l.path(name), "github.com/latchkey/latchkey/"+pkg)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
		}
	}
	err := l.makeDatabase(ctx)
	if err != nil {
		return err
	}
	if l.log, err = os.OpenFile(l.path("web.log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600); err != nil {
		return err
	}
	l.hello, err = startServer(ctx, nil, l.path("bare"))
	return err
}

// close ends what runs and removes the data.
func (l *lab) close() error {
	err := l.stopWeb()
	for _, bare := range []*server{l.hello, l.proxy} {
		if bare != nil {
			bare.kill()
		}
	}
	if l.log != nil {
		err = errors.Join(err, l.log.Close())
	}
	return errors.Join(err, l.dropDatabase(), os.RemoveAll(l.dir)) //nolint:gosec // made by newLab
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) say(format string, args ...any) {
	_, _ = fmt.Fprintf(l.progress, format+"\n", args...) // progress that cannot be shown stops nothing
}

// places are the flags that point the product to its data.
func (l *lab) places() []string {
	return []string{"--database", l.address, "--keys", l.path("data/keys.json")}
}

// startWeb starts the product with its log on, in a file.
func (l *lab) startWeb(ctx context.Context, addr string) error {
	var err error
	args := append(l.places(), "--addr", addr, "--log", "text", "--upstreams", l.routes)
	if l.web, err = startServer(ctx, l.log, l.path("web"), args...); err != nil {
		return fmt.Errorf("starting the product: %w\n%s", err, l.logTail())
	}
	return nil
}

func (l *lab) stopWeb() error {
	if l.web == nil {
		return nil
	}
	web := l.web
	l.web = nil
	return web.stop()
}

const gatewayPath = "/bench"

// openGateway puts the gateway, and a bare proxy beside it, before bare echo.
func (l *lab) openGateway(ctx context.Context) error {
	l.routes = gatewayPath + "=" + l.hello.base + ";strip"
	var err error
	l.proxy, err = startServer(ctx, nil, l.path("proxy"), l.hello.base)
	return err
}

// whileStopped does something to the data with no server on it.
func (l *lab) whileStopped(ctx context.Context, do func(*lab, context.Context) error) error {
	if do == nil {
		return nil
	}
	if err := l.stopWeb(); err != nil {
		return err
	}
	if err := do(l, ctx); err != nil {
		return err
	}
	return l.startWeb(ctx, anyPort)
}

// cli runs a command of the product to its end.
func (l *lab) cli(ctx context.Context, stdin string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := command(ctx, l.path("web"), append(l.places(), args...)...)
	cmd.Env = []string{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("web %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
