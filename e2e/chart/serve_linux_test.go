package chart

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey/latchkey/certs/certstest"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// patience is how long a test waits for what should come soon on a busy machine.
const patience = 60 * time.Second

// user is whom the pods run as.
const user = 65532

// node is a container of the chart without its container: the same program, environment and
// files, as the same user where the test is root.
type node struct {
	t     testing.TB
	spec  pod
	env   []string
	moved []string // mount paths and where they are here
}

// newNode reads the pod of a release. secrets are what Secrets hold, by name/key.
func newNode(t testing.TB, r release, secrets map[string]string) *node {
	t.Helper()
	var d deployment
	find(t, r, "Deployment", "", &d)
	n := &node{t: t, spec: d.Template.Spec}
	root, err := os.MkdirTemp("", "latchkey-pod-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	must(t, os.Chmod(root, 0o755))
	for _, m := range n.spec.Containers[0].VolumeMounts {
		dir := filepath.Join(root, m.Name)
		must(t, os.Mkdir(dir, 0o700))
		own(t, dir, 0, 0o775|os.ModeSetgid) // as a volume with fsGroup is handed over
		n.moved = append(n.moved, m.MountPath, dir)
	}
	for _, v := range n.spec.Containers[0].Env {
		value := v.Value
		if ref := v.ValueFrom.SecretKeyRef; ref.Name != "" {
			if value = secrets[ref.Name+"/"+ref.Key]; value == "" {
				t.Fatalf("%s is from a Secret %+v, which the test does not have", v.Name, ref)
			}
		}
		if v.Name == "LATCHKEY_ADDR" {
			value = "127.0.0.1:0" // many tests run here at the same time
		}
		n.env = append(n.env, v.Name+"="+n.here(value))
	}
	return n
}

// here says where a path of the container is on this machine.
func (n *node) here(path string) string {
	for i := 0; i < len(n.moved); i += 2 {
		if strings.HasPrefix(path, n.moved[i]+"/") {
			return n.moved[i+1] + strings.TrimPrefix(path, n.moved[i])
		}
	}
	return path
}

// put writes a file of a Secret or a ConfigMap as Kubernetes does.
func (n *node) put(path, content string, mode os.FileMode) {
	n.t.Helper()
	must(n.t, os.WriteFile(n.here(path), []byte(content), 0o600))
	own(n.t, n.here(path), 0, mode)
}

// own gives a file to root and the group of the pod.
func own(t testing.TB, path string, owner int, mode os.FileMode) {
	t.Helper()
	if os.Getuid() != 0 {
		return // it is ours, and the program runs as us
	}
	must(t, os.Chown(path, owner, user))
	must(t, os.Chmod(path, mode))
}

func (n *node) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(n.t.Context(), binary, args...)
	cmd.Dir, cmd.Env = "/", n.env
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	return cmd
}

// doctor says what it finds wrong, of the checks that need no other server: that of the tests
// may lose what it has.
func (n *node) doctor() []string {
	n.t.Helper()
	out, _ := n.command("doctor", "--json").Output() // it fails for names that lead nowhere here
	var findings []struct{ Verdict, Check, Says string }
	must(n.t, json.Unmarshal(out, &findings))
	var wrong []string
	for _, f := range findings {
		if f.Verdict == "wrong" && slices.Contains([]string{"settings", "key file", "folder", "disk", "listen address", "trusted proxies"}, f.Check) {
			wrong = append(wrong, f.Check+": "+f.Says)
		}
	}
	if len(findings) == 0 {
		wrong = append(wrong, string(out))
	}
	return wrong
}

// serve starts the program, asks what the probes ask, and stops it.
func (n *node) serve() {
	n.t.Helper()
	cmd := n.command()
	logs, err := cmd.StderrPipe()
	must(n.t, err)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	must(n.t, cmd.Start())
	kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	address, said := "", &bytes.Buffer{}
	for lines := bufio.NewScanner(logs); address == "" && lines.Scan(); {
		var line struct{ Msg, Address string }
		if said.WriteString(lines.Text() + "\n"); json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			address = line.Address
		}
	}
	if address == "" {
		n.t.Fatalf("it does not serve: %v\n%s", cmd.Wait(), said)
	}
	rest := make(chan struct{})
	go func() { _, _ = io.Copy(said, logs); close(rest) }()
	problem := ""
	for _, p := range []probe{n.spec.Containers[0].LivenessProbe, n.spec.Containers[0].ReadinessProbe} {
		problem += n.probe("http://" + address + p.HTTPGet.Path)
	}
	must(n.t, cmd.Process.Signal(syscall.SIGTERM))
	<-rest
	if err := cmd.Wait(); err != nil || problem != "" || !strings.Contains(stdout.String(), "https://account.example.com/setup?code=") {
		n.t.Errorf("%v %s\n%s\n%s", err, problem, stdout.String(), said)
	}
}

// probe asks until it is answered with 200, as a kubelet does.
func (n *node) probe(url string) string {
	n.t.Helper()
	status := ""
	for deadline := time.Now().Add(patience / 2); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, url, nil)
		must(n.t, err)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return url + ": " + err.Error() + "\n"
		}
		_ = res.Body.Close()
		if status = res.Status; res.StatusCode == http.StatusOK {
			return ""
		}
	}
	return url + ": " + status + "\n"
}

// keySet is what the Secret with the keys holds.
func keySet(t testing.TB) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary, "keys", "new").Output()
	must(t, err)
	return string(out)
}

const quick = "drain: {delaySeconds: 0, timeoutSeconds: 5}"

// The pod of one node makes its database and keys on the volume, where nobody else reads them.
func TestPodServesOnSQLite(t *testing.T) {
	n := newNode(t, rendered(t, "sqlite", quick), nil)
	n.serve()
	for _, path := range []string{"/data/latchkey", "/data/latchkey/latchkey.db", "/data/latchkey/keys.json"} {
		info, err := os.Stat(n.here(path))
		must(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
	if wrong := n.doctor(); len(wrong) > 0 {
		t.Errorf("doctor: %s", strings.Join(wrong, "\n"))
	}
}

// The pod of several nodes takes the mounted key file and the database of the Secret.
func TestPodServesOnPostgreSQL(t *testing.T) {
	n := newNode(t, rendered(t, "postgres", quick), map[string]string{"latchkey-database/url": pgtest.Empty(t)})
	n.put("/etc/latchkey/keys/keys.json", keySet(t), 0o440)
	n.serve()
	if wrong := n.doctor(); len(wrong) > 0 {
		t.Errorf("doctor: %s", strings.Join(wrong, "\n"))
	}
}

// The program takes all that the chart can set, with TLS of its own. Nothing of it is reached.
func TestPodSettingsAreTaken(t *testing.T) {
	database := pgtest.Empty(t)
	n := newNode(t, rendered(t, "everything", quick), map[string]string{
		"latchkey-database/url": database, "latchkey-database/direct": database, "latchkey-mail/url": "smtp://127.0.0.1:1?from=latchkey@example.com",
		"latchkey-provider/secret": "of the provider", "latchkey-shop/secret": "sixteen characters",
	})
	authority := certstest.New(t)
	cert, key := authority.Issue(t, time.Now().Add(-time.Hour), time.Now().Add(90*24*time.Hour), "account.example.com", "api.example.com")
	n.put("/etc/latchkey/keys/keys.json", keySet(t), 0o440)
	n.put("/etc/latchkey/tls/tls.crt", string(cert), 0o440)
	n.put("/etc/latchkey/tls/tls.key", string(key), 0o440)
	n.put("/etc/latchkey/authorities/ca.pem", string(authority.PEM), 0o644)
	if wrong := n.doctor(); len(wrong) > 0 {
		t.Errorf("doctor: %s", strings.Join(wrong, "\n"))
	}
}
