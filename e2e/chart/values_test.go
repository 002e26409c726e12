package chart

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// schema is what tests read of values.schema.json.
type schema struct {
	Properties map[string]schema
}

func readSchema(t testing.TB) schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "values.schema.json"))
	must(t, err)
	var s schema
	must(t, json.Unmarshal(text, &s))
	return s
}

// notInTheChart are settings that no value sets, and why.
var notInTheChart = map[string]string{
	"LATCHKEY_KEYS_VALUE":     "a file is read again when it changes, and no other process sees it",
	"LATCHKEY_KEYS_COMMAND":   "the image holds no other program",
	"LATCHKEY_ACME":           "certificates come from a Secret",
	"LATCHKEY_ACME_AGREE":     "see LATCHKEY_ACME",
	"LATCHKEY_ACME_EMAIL":     "see LATCHKEY_ACME",
	"LATCHKEY_ACME_DIRECTORY": "see LATCHKEY_ACME",
	"LATCHKEY_ACME_CA":        "see LATCHKEY_ACME",
	"LATCHKEY_REDIRECT_ADDR":  "the ingress controller leads http to https",
}

// The chart sets what the program knows, and knows each of its settings: by a value of its
// own, in settings or in secretSettings, or not at all for a reason.
func TestSettingsAreThoseOfTheProgram(t *testing.T) {
	help, err := exec.CommandContext(t.Context(), binary, "--help").Output()
	must(t, err)
	known := map[string]bool{}
	for _, found := range regexp.MustCompile(`\[\$(LATCHKEY_\w+)\]`).FindAllSubmatch(help, -1) {
		known[string(found[1])] = true
	}
	if len(known) < 40 {
		t.Fatalf("only %d settings in --help", len(known))
	}
	set := map[string]bool{}
	for name := range examples {
		var d deployment
		find(t, rendered(t, name, ""), "Deployment", "", &d)
		for _, v := range d.Template.Spec.Containers[0].Env {
			if set[v.Name] = true; strings.HasPrefix(v.Name, "LATCHKEY_") && !known[v.Name] {
				t.Errorf("%s: the program knows no %s", name, v.Name)
			}
		}
	}
	values := readSchema(t).Properties
	for _, list := range []string{"settings", "secretSettings"} {
		for name := range values[list].Properties {
			if set[name] = true; !known[name] {
				t.Errorf("%s: the program knows no %s", list, name)
			}
		}
	}
	for name := range known {
		if set[name] == (notInTheChart[name] != "") {
			t.Errorf("%s: add it to settings or secretSettings in values.schema.json, or say in notInTheChart why not", name)
		}
	}
}

// K5: what is secret comes from a Secret, and no value takes it in the clear.
func TestSecretsAreNamedOnly(t *testing.T) {
	secret := []string{"LATCHKEY_DATABASE", "LATCHKEY_DATABASE_DIRECT", "LATCHKEY_OIDC_CLIENT_SECRET", "LATCHKEY_POINTS_SECRET", "LATCHKEY_SMTP_URL"}
	var d deployment
	find(t, rendered(t, "everything", ""), "Deployment", "", &d)
	var from []string
	for _, v := range d.Template.Spec.Containers[0].Env {
		if ref := v.ValueFrom.SecretKeyRef; ref.Name != "" && ref.Key != "" && v.Value == "" {
			from = append(from, v.Name)
		}
	}
	if slices.Sort(from); !slices.Equal(from, secret) {
		t.Errorf("from Secrets: %v, want %v", from, secret)
	}
	for _, name := range append(secret, "LATCHKEY_KEYS_VALUE", "OTEL_EXPORTER_OTLP_HEADERS") {
		if r := template(t, example(t, "postgres"), "settings: {"+name+": hidden}"); !strings.Contains(r.Refused, name) || strings.Contains(r.Refused, "hidden") {
			t.Errorf("settings.%s: %q", name, r.Refused)
		}
	}
}

// Values that cannot work are refused with what to write, all at once.
func TestRefusedValues(t *testing.T) {
	nothing := template(t, "", "{}").Refused
	for _, want := range []string{"baseURL: write the public address", "image.repository: ", "image.tag: ", "database.existingSecret: name the Secret", "keys.existingSecret: "} {
		if !strings.Contains(nothing, "\n"+want) {
			t.Errorf("without values, %q is missing in:\n%s", want, nothing)
		}
	}
	for _, c := range []struct{ example, values, want string }{
		{"sqlite", "replicas: 2", "replicas: a SQLite file has one node"},
		{"sqlite", "autoscaling: {enabled: true}", "replicas: a SQLite file has one node"},
		{"sqlite", "database: {type: sqlite, existingSecret: latchkey-database}", "database.existingSecret: leave it empty on SQLite"},
		{"sqlite", "persistence: {accessMode: ReadWriteMany}", "/persistence/accessMode"},
		{"postgres", "baseURL: http://account.example.com", "baseURL: write an https address"},
		{"postgres", "baseURL: https://account.example.com/latchkey", "/baseURL"},
		{"postgres", "baseURL: account.example.com", "/baseURL"},
		{"postgres", "trustedProxies: []", "trustedProxies: write the network of the ingress"},
		{"postgres", "trustedProxies: [0.0.0.0/0]", "/trustedProxies/0"},
		{"postgres", "trustedProxies: [10.42.0.7]", "/trustedProxies/0"},
		{"postgres", "metrics: {serviceMonitor: {enabled: true}}", "metrics.enabled: set it to true"},
		{"postgres", "metrics: {prometheusRule: {enabled: true}}", "metrics.enabled: set it to true"},
		{"postgres", "autoscaling: {enabled: true, minReplicas: 6}", "autoscaling.maxReplicas: write at least minReplicas"},
		{"postgres", "autoscaling: {enabled: true}\nresources: {requests: {cpu: null}}", "resources.requests.cpu: write one"},
		{"postgres", "settings: {HTTPS_PROXY: http://proxy:3128}\nsecretSettings: {HTTPS_PROXY: {secret: proxy, key: url}}", "settings.HTTPS_PROXY: it is in secretSettings too"},
		{"postgres", "secretSettings: {LATCHKEY_SMTP_URL: smtp://mail}", "/secretSettings/LATCHKEY_SMTP_URL"},
		{"postgres", "settings: {LATCHKEY_SIGN_UP: open}", "LATCHKEY_SIGN_UP"},
		{"postgres", "replicaCount: 3", "replicaCount"},
		{"postgres", "drain: {timeoutSeconds: 0}", "/drain/timeoutSeconds"},
	} {
		r := template(t, example(t, c.example), c.values)
		if !strings.Contains(r.Refused, c.want) || len(r.Objects) > 0 {
			t.Errorf("%s with %q: %q, want %q", c.example, c.values, r.Refused, c.want)
		}
	}
}

// Passwords go in the clear only where that was said.
func TestHTTPHasToBeAskedFor(t *testing.T) {
	rendered(t, "postgres", "baseURL: http://account.example.com\nsettings: {LATCHKEY_ALLOW_HTTP: true}")
}

// The chart's README lists each value.
func TestREADMEListsValues(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(folder, "README.md"))
	must(t, err)
	var paths func(at string, s schema) []string
	paths = func(at string, s schema) []string {
		if len(s.Properties) == 0 || at == "settings" || at == "secretSettings" {
			return []string{at}
		}
		var list []string
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			list = append(list, paths(strings.TrimPrefix(at+"."+name, "."), s.Properties[name])...)
		}
		return list
	}
	for _, path := range paths("", readSchema(t)) {
		if path != "global" && !strings.Contains(string(text), "`"+path+"`") {
			t.Errorf("README.md says nothing of %s", path)
		}
	}
}
