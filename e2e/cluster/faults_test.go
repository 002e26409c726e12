package cluster

import (
	"context"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// fault is what happens to three nodes under load, and how it ends. In each case no revoked
// token is accepted more than a second after the answer, no answered token is lost, and
// errors end after the fault.
type fault struct {
	do   func(w *world, l *load)
	ends func(w *world)
	// lasts is how long it goes on.
	lasts time.Duration
	// recovers is how soon after its end the last request fails, at most: on a busy machine.
	recovers time.Duration
}

func (f fault) run(t *testing.T) {
	t.Helper()
	f.on(t, newWorld(t, 3))
}

func (f fault) on(t *testing.T, w *world) {
	t.Helper()
	_, credentials := w.setUp(0).credentials("Trading bot")
	l := w.load(credentials)
	eventually(t, l.warm)
	began := time.Now()
	f.do(w, l)
	until(began.Add(f.lasts))
	if f.ends != nil {
		f.ends(w)
	}
	recovered := l.settled(time.Now())
	l.end()
	l.audit()
	t.Logf("errors ended %s after the fault", recovered.Round(time.Millisecond))
	if recovered > f.recovers/2 {
		t.Log(l.text())
	}
	if recovered > f.recovers {
		t.Errorf("want %s at most", f.recovers)
	}
	w.logsAreShort()
}

// logsAreShort wants one line for each change of what the feed can do, and no password.
func (w *world) logsAreShort() {
	w.Helper()
	for i, n := range w.nodes {
		lost, found := n.Stderr.Count("cannot follow the database"), n.Stderr.Count("follows the database")
		w.Logf("node %d: the feed was lost %d times and found %d times", i, lost, found)
		if lost > 10 {
			w.Errorf("node %d says %d times that its feed is lost", i, lost)
		}
	}
}

// A node that is killed takes with it what it had not answered.
func TestKilledNode(t *testing.T) { // O10
	fault{lasts: 3 * time.Second, recovers: 10 * time.Second,
		do:   func(w *world, _ *load) { w.nodes[1].Kill() },
		ends: func(w *world) { w.nodes[1].start(); eventually(w, w.nodes[1].announced) },
	}.run(t)
}

// T6: without the connection that hears of changes, a node asks the database until it has
// another one.
func TestKilledListener(t *testing.T) {
	fault{lasts: 2 * time.Second, recovers: 10 * time.Second, do: func(w *world, _ *load) {
		for range 5 {
			n := database.number(w, w.name, "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1 AND (query LIKE 'LISTEN%' OR query LIKE '%pg_listening_channels%') AND pid <> pg_backend_pid()", w.name)
			if n < 1 {
				w.Errorf("%d sessions listened", n)
			}
			time.Sleep(300 * time.Millisecond)
		}
	}}.run(t)
}

// T6: a node that stood still does not believe what it knew before.
func TestFrozenNode(t *testing.T) {
	fault{lasts: 6 * time.Second, recovers: 10 * time.Second, do: func(w *world, _ *load) {
		for range 3 { // shorter than anybody notices, and longer
			w.nodes[2].Signal(syscall.SIGSTOP)
			time.Sleep(400 * time.Millisecond)
			w.nodes[2].Signal(syscall.SIGCONT)
			time.Sleep(300 * time.Millisecond)
		}
		w.nodes[2].Signal(syscall.SIGSTOP)
	}, ends: func(w *world) { w.nodes[2].Signal(syscall.SIGCONT) }}.run(t)
}

// What a node holds that is frozen in the middle of a transaction, the server takes away.
func TestFrozenInATransaction(t *testing.T) {
	fault{lasts: 6 * time.Second, recovers: 10 * time.Second, do: func(w *world, _ *load) {
		// It is stopped while the server makes it wait within a transaction.
		lock := database.connect(w, w.name)
		defer func() { _ = lock.Close(context.Background()) }()
		if _, err := lock.Exec(context.Background(), "BEGIN; LOCK audit_chains IN SHARE MODE"); err != nil {
			w.Fatal(err)
		}
		eventually(w, func() string {
			if database.number(w, w.name, "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'", w.name) == 0 {
				return "nobody waits for the lock"
			}
			return ""
		})
		w.nodes[0].Signal(syscall.SIGSTOP)
	}, ends: func(w *world) { w.nodes[0].Signal(syscall.SIGCONT) }}.run(t)
}

// A server that is stopped, by request and in the middle, keeps what was answered.
func TestDatabaseRestartsUnderLoad(t *testing.T) { // O10
	for _, mode := range []string{"fast", "immediate"} {
		t.Run(mode, func(t *testing.T) {
			fault{lasts: time.Second, recovers: 15 * time.Second, do: func(*world, *load) { database.stop(mode) }, ends: func(*world) {
				if err := database.start(); err != nil {
					t.Fatal(err)
				}
			}}.run(t)
		})
	}
}

// refusesToSay cuts a node off and wants it to say good of no token a second later, not even
// of one that it remembered, and 503 instead.
func refusesToSay(l *load, n *node, cut func()) {
	l.w.Helper()
	there := newPerson(l.w, n.base)
	token := l.pick(true)
	if status, err := there.verify(token); status != http.StatusOK {
		l.w.Errorf("verify before: %d %v", status, err)
	}
	cut()
	time.Sleep(promise)
	began := time.Now()
	status, err := there.verify(token)
	l.w.Logf("cut off: verify is answered %d after %s", status, time.Since(began).Round(time.Millisecond))
	if status != http.StatusServiceUnavailable {
		l.w.Errorf("verify on a node that is cut off: %d %v", status, err)
	}
}

// Promise 2: a node whose packets vanish in silence does not say good, whichever way they
// vanish, and comes back with the network, whether or not it still knows the connections.
func TestCutOffInSilence(t *testing.T) {
	for _, cut := range []struct {
		name           string
		up, down, lost bool
	}{
		{"both ways, connections lost", false, false, true},
		{"both ways, for a while", false, false, false},
		{"answers alone", true, false, true},
		{"questions alone", false, true, false},
	} {
		t.Run(cut.name, func(t *testing.T) {
			t.Parallel()
			fault{lasts: 7 * time.Second, recovers: 12 * time.Second, do: func(w *world, l *load) {
				refusesToSay(l, w.nodes[1], func() { w.nodes[1].relay.set(cut.up, cut.down) })
			}, ends: func(w *world) { w.nodes[1].relay.heal(cut.lost) }}.run(t)
		})
	}
}
