package cluster

import (
	"net/http"
	"testing"
)

// Ten processes that start at once on an empty database migrate it once, and whichever
// prints a code, the balancer's next node takes it.
func TestTenNodesStartAtOnce(t *testing.T) {
	w := newWorld(t, 10)
	if len(w.setupURLs) != 10 {
		t.Errorf("%d nodes printed a code", len(w.setupURLs))
	}
	ana := w.setUp(7)
	for _, n := range w.nodes {
		if got := ana.at(n.base).get(applications); got.status != http.StatusOK || got.path != applications {
			t.Errorf("%s: %d on %s", n.base, got.status, got.path)
		}
	}
	for _, address := range w.setupURLs {
		if got := newPerson(t, w.base).get(address); got.status != http.StatusNotFound {
			t.Errorf("a code that was left: %d", got.status)
		}
	}
	if n := database.number(t, w.name, "SELECT COUNT(*) FROM users"); n != 1 {
		t.Errorf("%d users", n)
	}
}
