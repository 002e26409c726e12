// Package chart tests the Helm chart: it is linted and rendered by Helm's own code, each
// object is read as the API server would, and the built program runs with the environment
// and the files that a pod would have.
package chart

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const folder = "../../docs/deploy/helm/latchkey"

// binary is the program under test, helm what renders the chart (tools/helm).
var binary, helm string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e/chart: "+err.Error())
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "latchkey-chart-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// The program runs as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		return 1, err
	}
	binary, helm = filepath.Join(dir, "latchkey"), filepath.Join(dir, "helm")
	for _, args := range [][]string{
		{"build", "-o", binary, "github.com/latchkey/latchkey/cmd/web"},
		{"build", "-C", filepath.Join("..", "..", "tools", "helm"), "-o", helm, "."},
	} {
		build := exec.CommandContext(context.Background(), "go", args...)
		if out, err := build.CombinedOutput(); err != nil {
			return 1, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return m.Run(), nil
}

// release is what tools/helm prints.
type release struct {
	Lint, Wrong []string
	Refused     string
	Objects     []object
	Notes       string
}

// object has the parts of Kubernetes' objects that tests look at.
type object struct {
	Kind     string
	Metadata struct {
		Name   string
		Labels map[string]string
	}
	Spec json.RawMessage
}

// template renders the chart with the values of an example, others in place of its own.
func template(t testing.TB, example, values string) release {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), helm, folder, "prod", "accounts")
	cmd.Stdin = strings.NewReader(without(example, values))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("rendering: %v\n%s", err, stderr.String())
	}
	var r release
	must(t, json.Unmarshal(out, &r))
	return r
}

// rendered wants them to be taken.
func rendered(t testing.TB, name, values string) release {
	t.Helper()
	r := template(t, example(t, name), values)
	if r.Refused != "" || len(r.Lint) > 0 || len(r.Wrong) > 0 {
		t.Fatalf("refused: %s\nlint: %s\nobjects: %s", r.Refused, strings.Join(r.Lint, "\n"), strings.Join(r.Wrong, "\n"))
	}
	return r
}

// without leaves out of an example what values say at the top: YAML takes no key twice.
func without(example, values string) string {
	for _, name := range regexp.MustCompile(`(?m)^\w+:`).FindAllString(values, -1) {
		example = regexp.MustCompile(`(?m)^`+name+`.*\n(?:[ #].*\n)*`).ReplaceAllString(example, "")
	}
	return example + values + "\n"
}

// example is a file of the chart's folder examples.
func example(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "examples", name+".yaml"))
	must(t, err)
	return string(text)
}

// find reads the spec of the one object of a kind, and of a name where there are several.
func find(t testing.TB, r release, kind, name string, spec any) object {
	t.Helper()
	var found []object
	for _, o := range r.Objects {
		if o.Kind == kind && (name == "" || o.Metadata.Name == name) {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects %s %s, want 1", len(found), kind, name)
	}
	must(t, json.Unmarshal(found[0].Spec, spec))
	return found[0]
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
