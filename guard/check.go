package guard

import (
	"context"
	"fmt"
	"time"
)

const (
	// maxValue is longer than any token.
	maxValue = 512
	// maxAsked bounds the questions on their way, maxWaiting those that wait as well: a
	// guesser does not flood Latchkey through us.
	maxAsked   = 32
	maxWaiting = 1024
	// refusedFor is how long a refusal is remembered, for a client that tries again and
	// again; maxRefused bounds them.
	refusedFor = time.Second
	maxRefused = 1000
	// tries is how often a question is asked whose answer is overtaken by an announcement.
	tries = 3
)

// flight is one question about a token, for all who ask at once.
type flight struct {
	done  chan struct{}
	token Token
	err   error
	// overtaken means that the answer is too old to be relied on.
	overtaken bool
}

// Check tells what a token allows, from memory or by asking Latchkey. It returns ErrRefused
// for one that is not good and ErrUnavailable where nobody can say, each wrapped.
func (g *Guard) Check(ctx context.Context, value string) (Token, error) {
	if value == "" || len(value) > maxValue {
		return Token{}, fmt.Errorf("guard: %w", ErrRefused)
	}
	k := keyOf(value)
	if token, ok := g.cache.find(k); ok {
		return token, nil
	}
	for range tries {
		f, err := g.join(k, value) //nolint:contextcheck // a question goes on for others who wait for it
		if err != nil {
			return Token{}, fmt.Errorf("guard: %w", err)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return Token{}, fmt.Errorf("guard: %w: %w", ErrUnavailable, ctx.Err())
		}
		if f.err != nil {
			return Token{}, fmt.Errorf("guard: %w", f.err)
		}
		if !f.overtaken {
			return f.token, nil
		}
	}
	return Token{}, fmt.Errorf("guard: %w: its answers come too late", ErrUnavailable)
}

// join finds the question that is on its way, or asks it.
func (g *Guard) join(k key, value string) (*flight, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.flights[k]; f != nil {
		return f, nil
	}
	now := g.cache.elapsed()
	switch {
	case g.closed:
		return nil, fmt.Errorf("%w: the guard was closed", ErrUnavailable)
	case now < g.refused[k]:
		return nil, ErrRefused
	case now < g.heldUntil.Load():
		return nil, fmt.Errorf("%w: Latchkey refuses this resource server", ErrUnavailable)
	case len(g.flights) >= maxAsked+maxWaiting:
		return nil, fmt.Errorf("%w: too many tokens are asked about at once", ErrUnavailable)
	}
	f := &flight{done: make(chan struct{})}
	g.flights[k] = f
	g.running.Go(func() { g.fly(f, k, value) })
	return f, nil
}

// fly asks, whoever of those that wait gives up.
func (g *Guard) fly(f *flight, k key, value string) {
	ctx, cancel := context.WithTimeout(g.ctx, g.timeout)
	defer cancel()
	select {
	case g.slots <- struct{}{}:
		g.ask(ctx, f, k, value)
		<-g.slots
	case <-ctx.Done():
		f.err = fmt.Errorf("%w: too many tokens are asked about", ErrUnavailable)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.flights, k)
	close(f.done)
}

func (g *Guard) ask(ctx context.Context, f *flight, k key, value string) {
	noticed, began := g.cache.noticed(), time.Now()
	asked := int64(began.Sub(g.cache.start))
	found, err := g.introspect(ctx, value)
	switch {
	case err != nil:
		f.err = err
	case !found.Active:
		f.err = ErrRefused
		g.rememberRefused(k)
	default:
		f.token = found.token()
		ends := asked + int64(min(found.left(began), spread(g.cache.maxAge, k)))
		// What is not remembered is good for a moment, from when it was asked for.
		f.overtaken = !g.cache.keep(noticed, k, f.token, ends) && g.cache.elapsed()-asked > int64(trustFor)
	}
}

func (g *Guard) rememberRefused(k key) {
	now := g.cache.elapsed()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.refused) >= maxRefused {
		clear(g.refused)
	}
	g.refused[k] = now + int64(refusedFor)
}

// spread takes up to a tenth off, so that tokens that came together are not asked about
// again together.
func spread(d time.Duration, k key) time.Duration { return d - d/10*time.Duration(k[0])/256 }
