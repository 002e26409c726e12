package e2e

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// image is what a container is started from, as a registry keeps it.
type image struct {
	dir      string
	Manifest struct {
		Config struct{ Digest string }
		Layers []struct{ Digest string }
	}
	Config struct {
		Architecture string
		Config       struct {
			User       string
			Env        []string
			Entrypoint []string
			Volumes    map[string]struct{}
			Health     struct{ Test []string } `json:"Healthcheck"`
		}
	}
}

// builtImage builds it with a real tool and without a network, and takes it apart.
func builtImage(t *testing.T, arch string) *image {
	t.Helper()
	dist, err := released()
	must(t, err)
	work := t.TempDir()
	tool := []string{"buildah", "--root", filepath.Join(work, "root"), "--runroot", filepath.Join(work, "run"), "--storage-driver", "vfs"}
	authorities := filepath.Join(work, "authorities.pem")
	must(t, os.WriteFile(authorities, []byte("authorities\n"), 0o600))
	build := exec.CommandContext(t.Context(), "../scripts/image.sh")
	build.Env = append(os.Environ(), "TOOL="+strings.Join(tool, " "), "DIST="+dist, "CERTIFICATES="+authorities, "VERSION="+releaseName, "BUILDAH_ISOLATION=chroot")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the image: %v\n%s", err, out)
	}
	i := &image{dir: filepath.Join(work, "image")}
	push := exec.CommandContext(t.Context(), tool[0], append(tool[1:], "push", "--quiet", "latchkey:"+releaseName+"-"+arch, "dir:"+i.dir)...)
	if out, err := push.CombinedOutput(); err != nil {
		t.Fatalf("taking the image apart: %v\n%s", err, out)
	}
	i.read(t, "manifest.json", &i.Manifest)
	i.read(t, i.Manifest.Config.Digest, &i.Config)
	return i
}

func (i *image) read(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(i.dir, strings.TrimPrefix(name, "sha256:")))
	must(t, err)
	must(t, json.Unmarshal(text, into))
}

// unpack writes the files of the image into root and returns their modes and owners.
func (i *image) unpack(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, layer := range i.Manifest.Layers {
		file, err := os.Open(filepath.Join(i.dir, strings.TrimPrefix(layer.Digest, "sha256:")))
		must(t, err)
		defer file.Close()
		packed, err := gzip.NewReader(file)
		must(t, err)
		for files := tar.NewReader(packed); ; {
			head, err := files.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			found[strings.Trim(head.Name, "/")] = head.FileInfo().Mode().String() + " " + strconv.Itoa(head.Uid)
			unpackFile(t, filepath.Join(root, filepath.Clean("/"+head.Name)), head, files)
		}
	}
	return found
}

func unpackFile(t *testing.T, path string, head *tar.Header, content io.Reader) {
	t.Helper()
	if head.FileInfo().IsDir() {
		must(t, os.MkdirAll(path, 0o755))
	} else {
		text, err := io.ReadAll(content)
		must(t, err)
		must(t, os.WriteFile(path, text, 0o600))
	}
	must(t, os.Chmod(path, head.FileInfo().Mode().Perm()))
	if os.Getuid() == 0 {
		must(t, os.Chown(path, head.Uid, head.Gid))
	}
}

// C4: the image holds the binary, authorities and a folder for data; it runs without
// root, writes to that folder alone, and issues a token.
func TestContainer(t *testing.T) {
	i := builtImage(t, runtime.GOARCH)
	config := i.Config.Config
	if i.Config.Architecture != runtime.GOARCH || config.User != "65532:65532" || !slices.Equal(config.Entrypoint, []string{"/latchkey"}) || !slices.Equal(config.Health.Test, []string{"CMD", "/latchkey", "health"}) || len(config.Volumes) != 1 {
		t.Errorf("%+v", i.Config)
	}
	root := t.TempDir()
	must(t, os.Chmod(root, 0o755))
	files := i.unpack(t, root)
	for path, want := range map[string]string{"latchkey": "-rwxr-xr-x 0", "etc/ssl/certs/ca-certificates.crt": "-rw-r--r-- 0", "data": "drwx------ 65532"} {
		if files[path] != want {
			t.Errorf("%s: %q, want %q", path, files[path], want)
		}
	}
	if len(files) != 6 { // with the folders of the authorities
		t.Errorf("files: %v", files)
	}
	const user = 65532
	// Without TLS in front, a port that is free, and on this host's network.
	env := append(slices.Clone(config.Env), "LATCHKEY_ADDR=127.0.0.1:0", "LATCHKEY_LOG=text")
	prepared := func(args ...string) *exec.Cmd { return runIn(t, root, user, env, config.Entrypoint[0], args...) }
	if r := finish(t, runIn(t, root, user, config.Env, config.Entrypoint[0]), ""); r.code != 2 || !strings.Contains(r.stderr, "LATCHKEY_ALLOW_HTTP") {
		t.Errorf("without settings: exit code %d, %s", r.code, r.stderr)
	}
	wantOutput(t, prepared("version"), "", versionOf(runtime.GOARCH))
	wantOutput(t, prepared(addOwner()...), password, "Added "+ownerEmail)
	served(t, prepared())
	if r := finish(t, prepared("health"), ""); r.code != 1 {
		t.Errorf("health of one that ended: exit code %d", r.code)
	}
}
