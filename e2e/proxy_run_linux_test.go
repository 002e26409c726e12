package e2e

import (
	"context"
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/latchkey/latchkey/e2e/harness"
)

// proxy is a program that stands in front of Latchkey and of an API.
type proxy struct {
	name    string
	missing string // what to say where it is not installed
	file    string // its example in docs/deploy
	swaps   func(p around) []swap
	command func(path, dir, file string) *exec.Cmd
}

// around is where a proxy finds its world in a test.
type around struct {
	dir                        string
	cert, key                  string
	listen, latchkey, upstream string
}

// swap is a place in an example that its reader fills in. It has to occur as
// often as this test knows, so that the two cannot drift apart.
type swap struct {
	old   string
	times int
	new   string
}

var nginx = proxy{
	name: "nginx", missing: "install nginx (Debian: apt-get install nginx)", file: "nginx.conf",
	swaps: func(p around) []swap {
		temp := ""
		for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			temp += "\n" + kind + "_temp_path " + filepath.Join(p.dir, kind) + ";"
		}
		return []swap{
			{"user www-data;", 1, ""}, // the one that nginx was built with
			{"pid /run/nginx.pid;", 1, "pid " + filepath.Join(p.dir, "nginx.pid") + ";"},
			{"/var/log/nginx/", 3, p.dir + "/"},
			{"http {", 1, "http {" + temp},
			{"listen 443 ", 4, "listen " + p.listen + " "},
			{"/etc/ssl/latchkey/fullchain.pem", 1, p.cert},
			{"/etc/ssl/latchkey/privkey.pem", 1, p.key},
			{"server 127.0.0.1:8080;", 1, "server " + p.latchkey + ";"},
			{"server 127.0.0.1:4000;", 1, "server " + p.upstream + ";"},
		}
	},
	command: func(path, dir, file string) *exec.Cmd {
		return exec.CommandContext(context.Background(), path, "-p", dir, "-e", "stderr", "-c", file, "-g", "daemon off;")
	},
}

var caddy = proxy{
	name: "Caddy", missing: "install Caddy (Debian: apt-get install caddy)", file: "Caddyfile",
	swaps: func(p around) []swap {
		host, port, _ := strings.Cut(p.listen, ":")
		return []swap{
			{"\tadmin off\n", 1, "\tadmin off\n\tdefault_bind " + host + "\n\thttps_port " + port + "\n"},
			{"/etc/ssl/latchkey/fullchain.pem", 1, p.cert},
			{"/etc/ssl/latchkey/privkey.pem", 1, p.key},
			{"forward_auth 127.0.0.1:8080 ", 1, "forward_auth " + p.latchkey + " "},
			{"reverse_proxy 127.0.0.1:8080\n", 2, "reverse_proxy " + p.latchkey + "\n"},
			{"reverse_proxy 127.0.0.1:4000 ", 1, "reverse_proxy " + p.upstream + " "},
		}
	},
	command: func(path, dir, file string) *exec.Cmd {
		cmd := exec.CommandContext(context.Background(), path, "run", "--adapter", "caddyfile", "--config", file)
		cmd.Env = []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
		return cmd
	},
}

// find looks in PATH and where Debian keeps what root runs.
func (x proxy) find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{strings.ToLower(x.name), "/usr/sbin/" + strings.ToLower(x.name)} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not in PATH: %s", x.name, x.missing)
	return ""
}

// filledIn is the example with its places filled in.
func (x proxy) filledIn(t testing.TB, p around) string {
	t.Helper()
	example, err := os.ReadFile(filepath.Join("..", "docs", "deploy", x.file))
	must(t, err)
	var pairs []string
	for _, s := range x.swaps(p) {
		if n := strings.Count(string(example), s.old); n != s.times {
			t.Fatalf("docs/deploy/%s has %q %d times, want %d", x.file, s.old, n, s.times)
		}
		pairs = append(pairs, s.old, s.new)
	}
	return strings.NewReplacer(pairs...).Replace(string(example))
}

// start runs the example until the test ends.
func (x proxy) start(t testing.TB, p around, trust *tls.Config) *harness.Process {
	t.Helper()
	path, file := x.find(t), filepath.Join(p.dir, x.file)
	must(t, os.WriteFile(file, []byte(x.filledIn(t, p)), 0o600))
	cmd := x.command(path, p.dir, file)
	// A group of its own, so that nginx's workers end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	run := harness.Start(t, cmd)
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		run.Wait()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	eventually(t, func() string {
		if !run.Runs() {
			return x.name + " ended: " + run.Said()
		}
		conn, err := (&tls.Dialer{Config: trust}).DialContext(t.Context(), "tcp", p.listen)
		if err != nil {
			return x.name + " does not answer: " + err.Error() + "\n" + run.Said()
		}
		_ = conn.Close()
		return ""
	})
	return run
}
