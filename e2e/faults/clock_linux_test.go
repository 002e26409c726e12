package faults

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// T5, T6, T7: a clock that jumps ahead ends what ends by then, and nothing that it ended
// comes back while the program runs; what was not to end yet was not deleted, and is good again
// after a start by the right clock. What was revoked stays so.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "skew")
	w := newWorld(&program{TB: t, dir: t.TempDir(), path: skewed, env: []string{"SKEW=" + file}})
	set := func(hours int) {
		t.Helper()
		must(t, os.WriteFile(file+"-", fmt.Append(nil, hours), 0o600))
		must(t, os.Rename(file+"-", file))
	}
	says := func(text string) {
		t.Helper()
		eventually(t, func() string {
			if !strings.Contains(strings.Join(w.warnings(0), ""), text) {
				return "the log does not say " + text
			}
			return ""
		})
	}
	set(5)
	w.holds("5 hours ahead", false)
	if got := w.get(applications); got.path != "/login" {
		t.Error("an operator's session outlives its hour")
	}
	says("by=5h0m0s")
	set(0)
	w.holds("and back", false)
	says("set back")
	if ahead, err := strconv.ParseFloat(w.metric("latchkey_clock_ahead_seconds"), 64); err != nil || math.Abs(ahead-5*3600) > 1 {
		t.Errorf("the metrics say that the time is %.0f s ahead (%v), want 5 hours", ahead, err)
	}

	early, late := w.good, []string(nil)
	set(49)
	for _, token := range early {
		w.wantRefused("49 hours ahead", token)
	}
	w.good = nil
	w.issues(5)
	late = w.good
	w.holds("issued 49 hours ahead", false)
	set(0)
	w.holds("issued 49 hours ahead, and back", false)
	for _, token := range early {
		w.wantRefused("49 hours ahead, and back", token)
	}
	w.deed("/login", url.Values{"email": {email}, "password": {password}})
	w.holds("signed in again", false)

	t.Log("a year ahead: everything would have been deleted long ago")
	set(365 * 24)
	for _, token := range late {
		w.wantRefused("a year ahead", token)
	}
	says("by=87") // 8,711 hours more than before
	set(0)
	w.quiet(0, 10)
	w.stop()
	w.start()
	w.good = append(early, late...)
	w.deed("/login", url.Values{"email": {email}, "password": {password}})
	w.goesOn("a start by the right clock")
	w.stop()
	w.sound()
}

func (w *world) wantRefused(when, token string) {
	w.Helper()
	if got, err := w.verify(token); err != nil || got.status != http.StatusUnauthorized {
		w.Fatalf("%s: verify answers %d %v, want 401", when, got.status, err)
	}
}
