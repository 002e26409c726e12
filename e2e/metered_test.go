package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/gateway/gatewaytest"
	"github.com/latchkey/latchkey/mail/mailtest"
)

// metered is a program in front of an API, with a team on a plan and a token of its.
type metered struct {
	*server
	ana      *client
	upstream *gatewaytest.Upstream
	token    string
	args     []string
}

func newMetered(t *testing.T, points string, args ...string) *metered {
	t.Helper()
	m := &metered{upstream: gatewaytest.New(t)}
	m.args = append([]string{"--upstreams", "/v1=" + m.upstream.URL + ";strip;cost=1;ws;api=v1 /v2=" + m.upstream.URL + ";strip;cost=3;api=v2"}, args...)
	m.server, m.ana = owner(t, m.args...)
	m.command("plan", "add", "--name", "Starter", "--points", points)
	m.command("plan", "give", "--team", "Northwind", "--plan", "Starter")
	app := m.ana.create("Trading bot")
	var problem string
	if m.token, problem = m.ana.newToken(m.ana.clientIDOf(app), m.ana.reveal(app+"/secret")); problem != "" {
		t.Fatal(problem)
	}
	return m
}

// command runs one in a process of its own.
func (m *metered) command(args ...string) {
	m.t.Helper()
	if r := command(m.t, "", append(places(m.dir), args...)...); r.code != 0 {
		m.t.Fatalf("%v: exit code %d\n%s", args, r.code, r.stderr)
	}
}

// call makes one at a server; the status is 0 where no answer came.
func (m *metered) call(ctx context.Context, base, path string) (status int, body string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+m.token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(text)
}

// used is what the ledger has charged; the books must balance.
func (m *metered) used() int64 {
	m.t.Helper()
	for name, query := range map[string]string{
		"the balance is not the sum of the ledger":    "SELECT COUNT(*) FROM team_points b WHERE balance <> (SELECT SUM(points) FROM ledger_entries e WHERE e.team_id = b.team_id)",
		"an entry does not follow the one before":     "SELECT COUNT(*) FROM (SELECT balance_after - points AS before, LAG(balance_after, 1, 0) OVER (PARTITION BY team_id ORDER BY rowid) AS last FROM ledger_entries) WHERE before <> last",
		"hours and days are not the same":             "SELECT (SELECT TOTAL(points) FROM usage_hours) <> (SELECT TOTAL(points) FROM usage_days)",
		"what was counted is not what was charged":    "SELECT (SELECT TOTAL(points) FROM usage_hours) <> (SELECT -TOTAL(points) FROM ledger_entries WHERE kind = 'use')",
		"a batch stands in the ledger more than once": "SELECT COUNT(*) FROM (SELECT 1 FROM ledger_entries WHERE kind = 'use' GROUP BY team_id, reference HAVING COUNT(*) > 1)",
	} {
		if number(m.t, m.dir, query) != 0 {
			m.t.Error(name)
		}
	}
	return number(m.t, m.dir, "SELECT COALESCE(-SUM(points), 0) FROM ledger_entries WHERE kind = 'use'")
}

// A kill in the middle of traffic loses the points of the last second at most, counts none
// twice, and leaves books that balance.
func TestKillInTheMiddleOfTraffic(t *testing.T) {
	m := newMetered(t, "1000000")
	before := int64(0)
	for round, lives := range []time.Duration{2500 * time.Millisecond, 3100 * time.Millisecond, 3700 * time.Millisecond} {
		var answered, settled, sent atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var programs sync.WaitGroup
		for range 3 {
			programs.Go(func() {
				for ctx.Err() == nil {
					sent.Add(1)
					status, _ := m.call(ctx, m.base, "/v1/x")
					if status != http.StatusOK {
						return
					}
					answered.Add(1)
					// A second, and one more for the write itself on a busy machine.
					if time.Since(began) < lives-2*time.Second {
						settled.Add(1)
					}
				}
			})
		}
		time.Sleep(lives)
		m.Kill()
		cancel()
		programs.Wait()
		m.server = startIn(t, m.dir, m.args...)
		m.ana.base = m.base
		stored := m.used() - before
		if stored > sent.Load() || stored < settled.Load() || settled.Load() == 0 {
			t.Errorf("round %d: %d sent, %d answered, %d of them two seconds before the kill; %d stored", round, sent.Load(), answered.Load(), settled.Load(), stored)
		}
		t.Logf("%d answered, %d stored", answered.Load(), stored)
		before += stored
	}
	if status, body := m.call(t.Context(), m.base, "/v1/x"); status != http.StatusOK {
		t.Errorf("after it: %d %s", status, body)
	}
	m.Stop()
	if got := m.used(); got != before+1 {
		t.Errorf("%d points used, want %d", got, before+1)
	}
}

// Two programs on one file, the last point: one call passes.
func TestLastPointAtTwoPrograms(t *testing.T) {
	m := newMetered(t, "5")
	other := startIn(t, m.dir, m.args...)
	for range 4 {
		if status, body := m.call(t.Context(), m.base, "/v1/x"); status != http.StatusOK {
			t.Fatal(status, body)
		}
	}
	var passed atomic.Int64
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			switch status, body := m.call(t.Context(), []string{m.base, other.base}[i%2], "/v1/x"); {
			case status == http.StatusOK:
				passed.Add(1)
			case status != http.StatusPaymentRequired || !strings.HasPrefix(body, "The team has no points left."):
				t.Errorf("%d %s", status, body)
			}
		})
	}
	all.Wait()
	m.Stop()
	other.Stop()
	if used := m.used(); passed.Load() != 1 || used != 5 || len(m.upstream.Seen()) != 5 {
		t.Errorf("%d passed, %d points used, the upstream had %d calls", passed.Load(), used, len(m.upstream.Seen()))
	}
}

// The page, the API, the ledger and whoever made the calls say the same; owners are told at
// 80 and at 100 %, once each, by mail, webhook and banner.
func TestUsageAddsUpAndIsTold(t *testing.T) {
	postbox := (&mailtest.Server{}).Start(t, "")
	m := newMetered(t, "100", "--smtp-url", postbox.URL(), "--webhook-private", "true")
	receiver := newEar(t)
	m.ana.deed(warningsPage+"/webhook", url.Values{"url": {receiver.URL + "/hook"}})
	calls := func(n int, path string, want int) {
		t.Helper()
		for range n {
			if status, body := m.call(t.Context(), m.base, path); status != want {
				t.Fatal(status, body)
			}
		}
	}
	calls(20, "/v1/x", http.StatusOK)
	calls(20, "/v2/x", http.StatusOK) // 80 in all
	if mail := postbox.Next(t); mail.To != ownerEmail || mail.Subject() != "80% of your team's points are used" {
		t.Errorf("%s: %s", mail.To, mail.Subject())
	}
	m.agrees(40, 80, "/v2,20,60,0\r\n/v1,20,20,0\r\n", "80% of this period’s points are used")
	calls(17, "/v1/x", http.StatusOK)
	calls(1, "/v2/x", http.StatusOK) // 100 in all
	calls(3, "/v1/x", http.StatusPaymentRequired)
	if mail := postbox.Next(t); mail.To != ownerEmail || mail.Subject() != "All points of your team are used" {
		t.Errorf("%s: %s", mail.To, mail.Subject())
	}
	m.agrees(61, 100, "/v2,21,63,0\r\n/v1,40,37,3\r\n", "No points left")
	eventually(t, func() string {
		if n := len(receiver.all()); n < 2 {
			return fmt.Sprintf("%d deliveries", n)
		}
		return ""
	})
	// Nothing more, also not by a program that starts anew.
	m.Stop()
	m.server = startIn(t, m.dir, m.args...)
	m.ana.base = m.base
	calls(3, "/v1/x", http.StatusPaymentRequired)
	if page := m.ana.get(applications); !strings.Contains(page.body, "No points left") {
		t.Error("no banner")
	}
	m.Stop()
	postbox.None(t)
	var told []string
	for _, d := range receiver.all() {
		var event struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(d.body, &event); err != nil {
			t.Error(err)
		}
		told = append(told, event.Type)
	}
	if strings.Join(told, " ") != "points.low points.used_up" {
		t.Errorf("the webhook was told %v", told)
	}
	if used := m.used(); used != 100 {
		t.Errorf("%d points used", used)
	}
}

// agrees waits until the API has so many requests, and wants the page, its export by route
// and the ledger to say the same.
func (m *metered) agrees(requests, points int64, routes, banner string) {
	m.t.Helper()
	var got struct {
		Period struct {
			Usage struct {
				Points   int64 `json:"points_usage"`
				Requests int64 `json:"requests_usage"`
			} `json:"usage"`
		} `json:"billing_period"`
		Left int64 `json:"points_left"`
	}
	eventually(m.t, func() string {
		status, body := m.call(m.t.Context(), m.base, "/api/usage")
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK || got.Period.Usage.Requests < requests {
			return body
		}
		return ""
	})
	if got.Period.Usage.Requests != requests || got.Period.Usage.Points != points || got.Left != 100-points {
		m.t.Errorf("%+v, want %d requests and %d points", got, requests, points)
	}
	if export := m.ana.get("/user/usage/export?by=route"); export.body != "route,requests,points,errors\r\n"+routes {
		m.t.Errorf("exported %q", export.body)
	}
	page := m.ana.get("/user/usage").body
	for row := range strings.SplitSeq(strings.TrimSpace(routes), "\r\n") {
		cells := strings.Split(row, ",")
		want := regexp.MustCompile(`(?s)` + cells[0] + `</.{0,300}>` + cells[2] + `</td>.{0,200}>` + cells[1] + `</td>.{0,200}>` + cells[3] + `</td>`)
		if !want.MatchString(page) {
			m.t.Errorf("the page has no row %s", row)
		}
	}
	if !strings.Contains(page, banner) {
		m.t.Errorf("the page does not say %q", banner)
	}
	if used := m.used(); used != points {
		m.t.Errorf("the ledger has %d points, want %d", used, points)
	}
}
