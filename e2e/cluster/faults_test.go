package cluster

import (
	"testing"
	"time"
)

// fault is what happens to three nodes under load, and how it ends.
type fault struct {
	name string
	do   func(w *world)
	ends func(w *world)
	// lasts is how long it goes on.
	lasts time.Duration
	// recovers is how soon after its end the last request fails, at most.
	recovers time.Duration
}

func (f fault) run(t *testing.T) {
	w := newWorld(t, 3)
	ana := w.setUp(0)
	_, credentials := ana.credentials("Trading bot")
	l := w.load(credentials)
	time.Sleep(time.Second)
	began := time.Now()
	f.do(w)
	until(began.Add(f.lasts))
	if f.ends != nil {
		f.ends(w)
	}
	recovered := l.settled(time.Now())
	l.end()
	l.audit()
	t.Logf("%s: errors ended %s after the fault", f.name, recovered.Round(time.Millisecond))
	if recovered > f.recovers {
		t.Errorf("errors ended %s after the fault, want %s at most: %s", recovered, f.recovers, l.text())
	}
	for i, n := range w.nodes {
		t.Logf("node %d: %v, %d bytes logged", i, l.watched[i], len(n.stderr.String()))
	}
}

func TestCutOffInSilence(t *testing.T) {
	f := fault{
		name: "cut off, connections lost", lasts: 5 * time.Second, recovers: 10 * time.Second,
		do: func(w *world) { w.nodes[1].relay.cut() }, ends: func(w *world) { w.nodes[1].relay.heal(true) },
	}
	f.run(t)
}
