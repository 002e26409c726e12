package middleware_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/latchkey/latchkey/middleware"
)

// pair is the same limiter at two nodes, and what each has told and the other not heard.
type pair struct {
	*clock
	limiters [2]*middleware.Limiter
	told     [2][]func()
}

func newPair(policy middleware.Policy) *pair {
	p := &pair{clock: &clock{t: time.Unix(1000, 0)}}
	for i := range p.limiters {
		p.limiters[i] = middleware.NewLimiter(policy, p.now)
	}
	for i, l := range p.limiters {
		l.Share(func(key [middleware.KeySize]byte, n int, ends bool) {
			p.told[i] = append(p.told[i], func() { p.limiters[1-i].Hear(uint64(i+1), key, n, ends) })
		})
	}
	return p
}

// meet has both hear all that the other has told.
func (p *pair) meet() {
	for i := range p.told {
		for _, hear := range p.told[i] {
			hear()
		}
		p.told[i] = nil
	}
}

var growing = middleware.Policy{Free: 3, Window: time.Hour, Size: 10, Pause: func(n int) time.Duration { return time.Duration(n+1) * time.Minute }}

// S11: failures count wherever they happen.
func TestFailuresElsewhere(t *testing.T) {
	p := newPair(growing)
	a, b := p.limiters[0], p.limiters[1]
	a.Fail("x")
	b.Fail("x")
	p.meet()
	if a.Fail("x") == 0 || b.Wait("x") != 0 {
		t.Error("the third failure begins no pause, or before it is heard of")
	}
	p.meet()
	if a.Wait("x") != time.Minute || b.Wait("x") != time.Minute {
		t.Errorf("the pause is %v and %v", a.Wait("x"), b.Wait("x"))
	}
	if len(p.told[0])+len(p.told[1]) != 0 {
		t.Error("what was heard is told on")
	}
	b.Forget("x")
	p.meet()
	if a.Wait("x") != 0 || a.Fail("x") != 0 {
		t.Error("a success elsewhere does not clear the key")
	}
}

// An attempt that was no failure leaves no trace at the other node either.
func TestAttemptsElsewhere(t *testing.T) {
	p := newPair(growing)
	a, b := p.limiters[0], p.limiters[1]
	for range 5 {
		attempt, wait := a.Take("x")
		p.meet()
		a.Return(attempt)
		p.meet()
		if wait != 0 || b.Wait("x") != 0 {
			t.Fatal("good attempts are slowed down")
		}
	}
	b.Fail("x")
	b.Fail("x")
	p.meet()
	attempt, _ := a.Take("x")
	p.meet()
	if b.Wait("x") == 0 {
		t.Error("an attempt that runs begins no pause")
	}
	a.Return(attempt)
	p.meet()
	if a.Wait("x") != 0 || b.Wait("x") != 0 {
		t.Error("the pause of a good attempt stays")
	}
	if a.Fail("x") == 0 {
		t.Error("two failures were lost")
	}
}

// S11: a good attempt at one node does not end a pause that a failure at another began.
func TestPauseStaysWhereItBegan(t *testing.T) {
	for _, heard := range []bool{false, true} {
		p := newPair(growing)
		a, b := p.limiters[0], p.limiters[1]
		b.Fail("x")
		b.Fail("x")
		p.meet()
		attempt, _ := a.Take("x") // of an account of the guesser's own
		if heard {
			p.meet()
			p.t = p.t.Add(2 * time.Minute)
		}
		if b.Fail("x") == 0 {
			t.Fatal("not slowed down")
		}
		p.meet()
		a.Return(attempt)
		p.meet()
		if b.Wait("x") == 0 {
			t.Errorf("freed (%v)", heard)
		}
	}
}

// S11: nor one that is told of once more, longer, to a node that may have missed something.
func TestPauseStaysWhereItBeganAfterMeeting(t *testing.T) {
	p := newPair(growing)
	a, b := p.limiters[0], p.limiters[1]
	for range 3 {
		b.Fail("x")
	}
	a.Fail("x")
	a.Fail("x")
	a.Fail("x") // heard of by nobody
	p.told[0] = nil
	p.t = p.t.Add(90 * time.Second)
	attempt, wait := a.Take("x") // of an account of the guesser's own
	if wait != 0 || b.Fail("x") == 0 {
		t.Fatal("not slowed down")
	}
	p.told = [2][]func(){}
	p.t = p.t.Add(-time.Millisecond)
	a.States(func(key [16]byte, count int, window, wait time.Duration) {
		b.Meet(1, key, count, window, wait+time.Millisecond)
	})
	a.Return(attempt)
	p.meet()
	if b.Wait("x") == 0 {
		t.Error("freed")
	}
}

// R3: what others count is bounded as well, and frees nobody who waits.
func TestFloodFromElsewhere(t *testing.T) {
	p := newPair(middleware.Policy{Free: 2, Window: time.Hour, Size: 100})
	a := p.limiters[0]
	a.Fail("guesser")
	a.Fail("guesser")
	for i := range 10_000 {
		a.Hear(7, [16]byte{1, byte(i), byte(i >> 8)}, 1, false)
		a.Meet(7, [16]byte{2, byte(i), byte(i >> 8)}, 1, time.Hour, 0)
	}
	n := 0
	a.States(func([16]byte, int, time.Duration, time.Duration) { n++ })
	if a.Wait("guesser") == 0 || n > 100 {
		t.Errorf("%d keys, the guesser waits %v", n, a.Wait("guesser"))
	}
}

// A node that has missed something takes the stricter of what it knows and what it is told.
func TestMeet(t *testing.T) {
	p := newPair(growing)
	a, b := p.limiters[0], p.limiters[1]
	for range 4 {
		a.Fail("paused")
	}
	a.Fail("once")
	b.Fail("once")
	b.Fail("once")
	p.told = [2][]func(){}
	met := func() {
		a.States(func(key [16]byte, count int, window, wait time.Duration) { b.Meet(1, key, count, window, wait) })
	}
	met()
	met()
	if b.Wait("paused") != 2*time.Minute || b.Wait("once") != 0 || b.Fail("once") == 0 {
		t.Error(b.Wait("paused"), b.Wait("once"))
	}
	p.t = p.t.Add(2 * time.Minute)
	if b.Wait("paused") != 0 || b.Fail("paused") != 3*time.Minute {
		t.Error("the failures are forgotten with the pause")
	}
	b.Meet(1, [16]byte{9}, 1<<40, 1<<60, 1<<60)
	b.States(func(key [16]byte, count int, window, wait time.Duration) {
		if key[0] == 9 && (wait > 24*time.Hour*46 || window > time.Hour || count > 1<<16) {
			t.Error("no bound", count, window, wait)
		}
	})
}

func BenchmarkFail(b *testing.B) {
	for _, shared := range []bool{false, true} {
		b.Run(fmt.Sprint("shared=", shared), func(b *testing.B) {
			l := middleware.NewLimiter(middleware.Policy{Free: 1 << 30, Window: time.Hour, Size: 1 << 16}, time.Now)
			if shared {
				l.Share(func([16]byte, int, bool) {})
			}
			for b.Loop() {
				l.Fail("somebody")
				l.Wait("somebody")
			}
		})
	}
}
