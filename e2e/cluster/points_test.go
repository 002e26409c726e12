package cluster

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// web runs a command of the program on the world's database.
func (w *world) web(args ...string) {
	w.Helper()
	flags := append(w.flags("127.0.0.1:0", database.address("127.0.0.1:"+database.port, w.name)), args...)
	cmd := exec.CommandContext(w.Context(), binary, flags...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	if out, err := cmd.CombinedOutput(); err != nil {
		w.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// D8: three nodes spend one balance to zero at once: the books balance, and not one point
// more is spent.
func TestPointsOnThreeNodes(t *testing.T) {
	const points = 600
	var arrived atomic.Int64
	upstream := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	defer upstream.Close()
	w := newWorld(t, 3, "--upstreams", "/v1="+upstream.URL+";api=v1;cost=1")
	ana := w.setUp(0)
	_, credentials := ana.credentials("Trading bot")
	w.web("plan", "add", "--name", "Small", "--points", "600")
	w.web("plan", "give", "--team", "Northwind", "--plan", "Small")
	token := ana.newToken(credentials)
	var passed atomic.Int64
	each(make([]int, 9), func(i int, _ int) {
		p := newPerson(t, w.nodes[i%3].base)
		// Points that one node holds are another's after a while.
		for last := time.Now(); time.Since(last) < 4*time.Second; {
			got := p.do(http.MethodGet, "/v1/rates", "", http.Header{"Authorization": {"Bearer " + token}})
			switch got.status {
			case http.StatusOK:
				passed.Add(1)
				last = time.Now()
			case http.StatusPaymentRequired:
				time.Sleep(100 * time.Millisecond)
			case http.StatusServiceUnavailable:
			default:
				t.Errorf("%d %.100s", got.status, got.body)
				return
			}
		}
	})
	if passed.Load() != points || arrived.Load() != points {
		t.Errorf("%d calls passed, %d arrived, want %d", passed.Load(), arrived.Load(), points)
	}
	eventually(t, func() string {
		spent := -database.number(t, w.name, "SELECT COALESCE(SUM(points), 0) FROM ledger_entries WHERE kind = 'use'")
		if balance := database.number(t, w.name, "SELECT SUM(balance) FROM team_points"); balance != 0 || spent != points {
			return "the balance is not nothing"
		}
		return ""
	})
	if n := database.number(t, w.name, "SELECT SUM(points) FROM ledger_entries"); n != 0 {
		t.Errorf("the entries add up to %d", n)
	}
	if n := database.number(t, w.name, "SELECT SUM(points) FROM usage_hours"); n != points {
		t.Errorf("%d points are counted", n)
	}
	for i, n := range w.nodes {
		if strings.Contains(n.Stderr.String(), "level=ERROR") {
			t.Errorf("node %d logged an error", i)
		}
	}
}
