package metrics

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

const deploy = "../docs/deploy/"

func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is not in PATH: install Prometheus (Debian: apt-get install prometheus)")
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %v: %v\n%s", args, err, out)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The alert rules hold on days that promtool makes up, and each is tried there and says
// what to do.
func TestAlertRules(t *testing.T) {
	promtool(t, "check", "rules", deploy+"prometheus-rules.yml")
	promtool(t, "test", "rules", deploy+"prometheus-rules-test.yml")
	rules, days := read(t, deploy+"prometheus-rules.yml"), read(t, deploy+"prometheus-rules-test.yml")
	alerts := strings.Split(rules, "- alert: ")[1:]
	if len(alerts) < 10 {
		t.Fatalf("%d alerts", len(alerts))
	}
	for _, alert := range alerts {
		name, _, _ := strings.Cut(alert, "\n")
		if !regexp.MustCompile(`action: "[A-Z][^"\n]{20,}\."`).MatchString(alert) {
			t.Errorf("%s does not say what to do", name)
		}
		if !strings.Contains(days, "alertname: "+name+"\n        exp_alerts:\n          - ") {
			t.Errorf("no day has %s", name)
		}
	}
	wantKnown(t, "prometheus-rules.yml", rules)
}

// Every query of the dashboard can be read, and asks for what there is.
func TestDashboard(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			Title, Type string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, deploy+"grafana-dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*")
	rules := []map[string]any{}
	all := ""
	for _, panel := range dashboard.Panels {
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("%s asks for nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			all += target.Expr + "\n"
			rules = append(rules, map[string]any{"record": "panel:" + string(rune('a'+len(rules)%26)) + strings.Repeat("x", len(rules)/26), "expr": fill.Replace(target.Expr)})
		}
	}
	if len(rules) < 30 {
		t.Fatalf("%d queries", len(rules))
	}
	// JSON is YAML.
	file, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", path)
	wantKnown(t, "grafana-dashboard.json", all)
	for _, s := range declared {
		if !strings.Contains(all, s.name) && s != readFailed {
			t.Errorf("the dashboard does not show %s", s.name)
		}
	}
}

var (
	name     = regexp.MustCompile(`\b(latchkey|go|process)_[a-z0-9_]+\b`)
	selector = regexp.MustCompile(`\b(latchkey_[a-z0-9_]+)\{([^}]*)\}`)
	label    = regexp.MustCompile(`(\w+) *(?:=~|!~|!=|=)`)
)

// wantKnown wants every metric that a text names to be one that is sent, with those labels.
func wantKnown(t *testing.T, file, text string) {
	t.Helper()
	known := map[string][]string{}
	for _, s := range declared {
		if s.kind != histogram {
			known[s.name] = s.labels
			continue
		}
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			known[s.name+part] = append(slices.Clone(s.labels), "le")
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		known[family.GetName()] = nil
	}
	for _, found := range name.FindAllString(text, -1) {
		if _, ok := known[found]; !ok {
			t.Errorf("%s names %s, which nobody sends", file, found)
		}
	}
	for _, found := range selector.FindAllStringSubmatch(text, -1) {
		for _, of := range label.FindAllStringSubmatch(found[2], -1) {
			if of[1] != "instance" && !slices.Contains(known[found[1]], of[1]) {
				t.Errorf("%s asks for %s by %s, which it does not have", file, found[1], of[1])
			}
		}
	}
}

// Operators read of each series in docs/operations.md what it means.
func TestEverySeriesIsDocumented(t *testing.T) {
	text := read(t, "../docs/operations.md")
	for _, s := range declared {
		row := "| `" + s.name + "` | " + strings.Join(s.labels, ", ") + " | "
		if !strings.Contains(text, row) {
			t.Errorf("docs/operations.md has no row that begins %q", row)
		}
	}
}
