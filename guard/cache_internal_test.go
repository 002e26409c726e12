package guard

import (
	"strconv"
	"testing"
	"time"
)

func (c *cache) holds() (tokens, applications, listed int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, of := range c.applications {
		listed += len(of.tokens)
	}
	return len(c.tokens), len(c.applications), listed
}

func number(i int) key { return keyOf(strconv.Itoa(i)) }

// What is remembered is bounded, also by what it hangs on, and all of it can be forgotten.
func TestCacheIsBounded(t *testing.T) {
	c := newCache(100, time.Minute)
	c.trustFrom(0)
	far := int64(time.Hour)
	for i := range 1000 {
		if !c.keep(0, number(i), Token{Application: strconv.Itoa(i % 300), Team: strconv.Itoa(i % 7)}, far) {
			t.Fatal("not kept")
		}
		if tokens, applications, listed := c.holds(); tokens > 100 || applications > tokens || listed != tokens {
			t.Fatalf("%d tokens of %d applications, %d listed", tokens, applications, listed)
		}
		if _, ok := c.find(number(i)); !ok {
			t.Fatal("what was kept is not found")
		}
	}
	// Told in three ways.
	for i := range 1000 {
		c.forgetToken(number(i))
	}
	if tokens, applications, _ := c.holds(); tokens+applications != 0 {
		t.Errorf("%d tokens of %d applications are left", tokens, applications)
	}
	noticed := c.noticed()
	for i := range 60 {
		c.keep(noticed, number(i), Token{Application: strconv.Itoa(i % 6), Team: strconv.Itoa(i % 2)}, far)
	}
	c.forgetApplication("1")
	if tokens, _, _ := c.holds(); tokens != 50 {
		t.Errorf("%d tokens without those of an application", tokens)
	}
	c.forgetTeam("0")
	if tokens, applications, listed := c.holds(); tokens != 20 || applications != 2 || listed != 20 {
		t.Errorf("%d tokens of %d applications without those of a team", tokens, applications)
	}
	if c.keep(noticed, number(1), Token{}, far) {
		t.Error("an answer from before an announcement is kept")
	}
	c.forgetAll()
	if tokens, applications, _ := c.holds(); tokens+applications != 0 {
		t.Errorf("%d tokens of %d applications are left of all", tokens, applications)
	}
}

// T5: time ends what is remembered, by the steady clock, and both clocks end the trust.
func TestCacheEnds(t *testing.T) {
	c := newCache(10, time.Minute)
	c.trustFrom(0)
	if now := c.elapsed(); !c.keep(0, number(1), Token{}, now+int64(20*time.Millisecond)) {
		t.Fatal("not kept")
	}
	c.keep(0, number(2), Token{}, c.elapsed()-1)
	if tokens, _, _ := c.holds(); tokens != 1 {
		t.Error("what has ended is kept")
	}
	time.Sleep(20 * time.Millisecond)
	if _, ok := c.find(number(1)); ok {
		t.Error("it is good after its end")
	}
	if _, ok := c.trusted(); !ok {
		t.Error("it is not trusted any more")
	}
	until := *c.trust.Load()
	until.wall = time.Now().UnixNano()
	c.trust.Store(&until)
	if _, ok := c.trusted(); ok {
		t.Error("it is trusted though the wall clock says that the time is over")
	}
	c.trust.Store(&deadline{steady: c.elapsed(), wall: time.Now().Add(time.Hour).UnixNano()})
	if _, ok := c.trusted(); ok {
		t.Error("it is trusted though the steady clock says that the time is over")
	}
	c.trustFrom(c.elapsed() + int64(time.Hour))
	if until := c.trust.Load().steady; until > c.elapsed()+int64(trustFor) {
		t.Error("a heartbeat from the future is believed")
	}
}

// How long an answer may be remembered is what both clocks agree on.
func TestLeft(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, test := range []struct {
		exp  int64
		date time.Duration
		want time.Duration
	}{
		{60, 0, 59 * time.Second}, {60, time.Hour, -time.Hour + 59*time.Second}, {60, -time.Hour, time.Minute}, {0, 0, -time.Second},
	} {
		i := introspection{Application: "a", Team: "t", Exp: now.Unix() + test.exp, date: now.Add(test.date)}
		if got := i.left(now); got != test.want {
			t.Errorf("ends in %d s, Latchkey's clock %s ahead: %s, want %s", test.exp, test.date, got, test.want)
		}
	}
	if got := (introspection{Exp: now.Unix() + 60, date: now}).left(now); got != 0 {
		t.Errorf("without an application it is remembered for %s", got)
	}
}
