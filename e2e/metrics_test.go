package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/gateway/gatewaytest"
)

// aside is the address of the metrics, which the log names.
func aside(t testing.TB, s *server) string {
	t.Helper()
	var found []string
	eventually(t, func() string {
		if found = regexp.MustCompile(`msg=metrics address=(\S+)`).FindStringSubmatch(s.Stderr.String()); found == nil {
			return "the program names no address of metrics: " + s.Stderr.String()
		}
		return ""
	})
	return "http://" + found[1]
}

// scrape reads the metrics, each sample under its name with labels.
func scrape(t testing.TB, base string) (samples map[string]float64, text string) {
	t.Helper()
	status, text, _ := probe(t, base, "/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d %s", status, text)
	}
	samples = map[string]float64{}
	for line := range strings.Lines(text) {
		at := strings.LastIndex(line, " ")
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		must(t, err)
		samples[line[:at]] = value
	}
	return samples, text
}

// What is counted is what has happened. A2: nothing of what people and programs sent stands in
// it, and every series that is documented is there. C6: it is not on the public address.
func TestMetrics(t *testing.T) {
	upstream := gatewaytest.New(t)
	s, ana := owner(t, "--metrics-addr", "127.0.0.1:0", "--upstreams", "/v1="+upstream.URL+";strip;cost=2")
	base := aside(t, s)
	before, _ := scrape(t, base)
	app := ana.create("Canary bot")
	clientID, secret := ana.clientIDOf(app), ana.reveal(app+"/secret")
	c := newClient(t, s.base)
	token, problem := c.newToken(clientID, secret)
	if problem != "" {
		t.Fatal(problem)
	}
	manual := ana.reveal(ana.generate(app, "canary laptop"))
	change(t, s.dir, "UPDATE tokens SET expires_at = created_at + 3 * 86400000 WHERE kind = 'manual'")
	for range 3 {
		c.wantGood(token)
	}
	c.wantRefused("lk_at_canary")
	for path, want := range map[string]int{"/v1/canary": 200, "/canary-page": 404} {
		r := c.request(http.MethodGet, path, "")
		r.Header.Set("Authorization", "Bearer "+token)
		if got := c.do(r); got.status != want {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
	}
	samples, text := scrape(t, base)
	for sample, want := range map[string]float64{
		`latchkey_tokens_issued_total{kind="client_credentials"}`:                      1,
		`latchkey_tokens_issued_total{kind="manual"}`:                                  1,
		`latchkey_tokens_refused_total{endpoint="verify",reason="malformed"}`:          1,
		`latchkey_tokens_refused_total{endpoint="introspect",reason="expired"}`:        0,
		`latchkey_token_batch_size_sum`:                                                1,
		`latchkey_token_commit_duration_seconds_count`:                                 1,
		`latchkey_cache_misses_total{cache="tokens"}`:                                  2,
		`latchkey_cache_hits_total{cache="tokens"}`:                                    3,
		`latchkey_http_requests_total{code="2xx",method="GET",route="/oauth2/verify"}`: 3,
		`latchkey_http_requests_total{code="4xx",method="GET",route="/oauth2/verify"}`: 1,
		`latchkey_http_requests_total{code="4xx",method="GET",route="none"}`:           1,
		`latchkey_http_request_duration_seconds_count{route="gateway"}`:                1,
		`latchkey_gateway_calls_total{code="2xx",route="/v1"}`:                         1,
		`latchkey_ready`:                               1,
		`latchkey_feed_alive`:                          1,
		`latchkey_check_ok{check="database"}`:          1,
		`latchkey_scrape_incomplete`:                   0,
		`latchkey_purge_failures_total{task="tokens"}`: 0,
		`latchkey_webhook_deliveries_waiting`:          0,
		`latchkey_http_request_duration_seconds_bucket{route="/oauth2/verify",le="15"}`: 4,
		`latchkey_gateway_limited_total{code="402",limit="points"}`:                     0,
		`latchkey_gateway_limited_total{code="429",limit="rate"}`:                       0,
	} {
		if got, ok := samples[sample]; !ok || got != want {
			t.Errorf("%s is %v (there: %t), want %v", sample, got, ok, want)
		}
	}
	if before["latchkey_ready"] != 1 {
		t.Errorf("before: %v", before["latchkey_ready"])
	}
	for _, canary := range []string{token, manual, secret, clientID, "canary", "Canary", "Northwind", "Ana Ruiz", ownerEmail} {
		if strings.Contains(text, canary) {
			t.Errorf("the metrics hold %q", canary)
		}
	}
	wantDocumented(t, text)
	wantLinted(t, text)
	for _, path := range []string{"/metrics", "/metrics/"} {
		if status, _, _ := probe(t, s.base, path); status != http.StatusNotFound {
			t.Errorf("%s on the public address: %d", path, status)
		}
	}
	if status, body, _ := probe(t, base, "/readyz"); status != http.StatusOK || !strings.Contains(body, "database: ok\n") {
		t.Errorf("readyz beside the metrics: %d %q", status, body)
	}
}

// wantDocumented wants the series of docs/operations.md and no other of ours.
func wantDocumented(t *testing.T, text string) {
	t.Helper()
	doc, err := os.ReadFile("../docs/operations.md")
	must(t, err)
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(latchkey_\\w+)` \\|").FindAllStringSubmatch(string(doc), -1) {
		documented[row[1]] = false
	}
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (latchkey_\w+)`).FindAllStringSubmatch(text, -1) {
		if _, ok := documented[found[1]]; !ok {
			t.Errorf("%s is not documented", found[1])
		}
		documented[found[1]] = true
	}
	for name, there := range documented {
		// The answers of the database are a minute old at most.
		if !there && name != "latchkey_team_tokens_expiring" {
			t.Errorf("%s is documented and not there", name)
		}
	}
}

// wantLinted has promtool read what Prometheus will.
func wantLinted(t *testing.T, text string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics (Debian: apt-get install prometheus): %v\n%s", err, out)
	}
}
