package middleware_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/middleware"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestLimiterUntilTheWindowEnds(t *testing.T) {
	c := &clock{t: time.Unix(1000, 0)}
	l := middleware.NewLimiter(middleware.Policy{Free: 3, Window: time.Minute, Size: 10}, c.now)
	for i := range 2 {
		if wait := l.Fail("a"); wait != 0 {
			t.Fatalf("failure %d waits %v", i+1, wait)
		}
	}
	c.t = c.t.Add(20 * time.Second)
	if wait := l.Fail("a"); wait != 40*time.Second {
		t.Errorf("the third failure waits %v", wait)
	}
	if l.Wait("b") != 0 {
		t.Error("another key waits")
	}
	c.t = c.t.Add(40 * time.Second)
	if l.Wait("a") != 0 || l.Fail("a") != 0 {
		t.Error("a new window does not begin at zero")
	}
}

func TestLimiterGrowingPause(t *testing.T) { // S11
	c := &clock{t: time.Unix(1000, 0)}
	l := middleware.NewLimiter(middleware.Policy{Free: 1, Window: time.Hour, Size: 10, Pause: func(n int) time.Duration { return time.Duration(n+1) * time.Second }}, c.now)
	for n, want := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second} {
		if wait := l.Fail("a"); wait != want {
			t.Errorf("failure %d waits %v, want %v", n+1, wait, want)
		}
		c.t = c.t.Add(want)
	}
	l.Forget("a")
	if l.Fail("a") != time.Second {
		t.Error("a success does not clear the key")
	}
}

// R3: a flood of keys neither grows the memory nor frees who is waiting.
func TestLimiterIsBoundedAndKeepsPenalties(t *testing.T) {
	c := &clock{t: time.Unix(1000, 0)}
	l := middleware.NewLimiter(middleware.Policy{Free: 2, Window: time.Hour, Size: 100}, c.now)
	l.Fail("guesser")
	if l.Fail("guesser") == 0 {
		t.Fatal("not slowed down")
	}
	for i := range 100_000 {
		l.Fail(fmt.Sprint("noise ", i))
	}
	if l.Wait("guesser") == 0 {
		t.Error("noise freed the guesser")
	}
	full := middleware.NewLimiter(middleware.Policy{Free: 0, Window: time.Hour, Size: 3}, c.now)
	for i := range 3 {
		full.Fail(fmt.Sprint(i))
	}
	full.Fail("one more")
	for i := range 3 {
		if full.Wait(fmt.Sprint(i)) == 0 {
			t.Errorf("key %d was forgotten", i)
		}
	}
}

func TestAddressKey(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "::ffff:192.0.2.7": "::ffff:192.0.2.7", "odd": "odd",
	} {
		if got := middleware.AddressKey(address); got != want {
			t.Errorf("%s gives %s", address, got)
		}
	}
}

// S11: failures that come at once are all counted.
func TestLimiterConcurrently(t *testing.T) {
	c := &clock{t: time.Unix(1000, 0)}
	l := middleware.NewLimiter(middleware.Policy{Free: 100, Window: time.Minute, Size: 10}, c.now)
	var all sync.WaitGroup
	var waited atomic.Int64
	for range 10 {
		all.Go(func() {
			for range 20 {
				if l.Fail("guesser") > 0 {
					waited.Add(1)
				}
			}
		})
	}
	all.Wait()
	if waited.Load() != 101 { // the hundredth and all after it
		t.Errorf("%d of 200 failures wait, want 101", waited.Load())
	}
}

// Attempts that were no failure leave no trace, and no pause of others with them.
func TestLimiterTakeAndReturn(t *testing.T) { // S11
	c := &clock{t: time.Unix(1000, 0)}
	l := middleware.NewLimiter(middleware.Policy{Free: 2, Window: time.Hour, Size: 10, Pause: func(n int) time.Duration { return time.Duration(n+1) * time.Minute }}, c.now)
	first, _ := l.Take("a")
	second, wait := l.Take("a")
	if wait != 0 {
		t.Fatalf("the second attempt waits %v", wait)
	}
	if _, wait := l.Take("a"); wait != time.Minute {
		t.Errorf("beside two attempts that run, a third waits %v", wait)
	}
	l.Return(second)
	if l.Wait("a") != 0 {
		t.Error("an attempt that was no failure leaves its pause")
	}
	third, _ := l.Take("a")
	l.Return(first)
	if l.Wait("a") == 0 {
		t.Error("taking back one attempt ends the pause of another")
	}
	l.Return(third)
	for range 2 {
		l.Take("a")
	}
	c.t = c.t.Add(time.Minute)
	good, wait := l.Take("a")
	if wait != 0 {
		t.Fatalf("after the pause: %v", wait)
	}
	l.Return(good)
	if l.Wait("a") != 0 {
		t.Error("a success past the free failures slows everybody down again")
	}
}
