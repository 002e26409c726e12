package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// took is how long an operation took at one size.
type took struct{ p50, p99, worst time.Duration }

// result is an operation at every size.
type result struct {
	name, grows string
	took        []took
}

// measure does an operation once for nothing and then as often as it says.
func (l *lab) measure(ctx context.Context, o operation) error {
	var next atomic.Int64
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var group sync.WaitGroup
	for range max(o.together, 1) {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= o.times {
					return
				}
				start := now()
				err := o.do(ctx, i)
				d := now().Sub(start)
				mu.Lock()
				all, failed = append(all, d), errors.Join(failed, err)
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	if err := errors.Join(failed, ctx.Err()); err != nil {
		return err
	}
	l.add(o.name, o.grows, all)
	return nil
}

// add keeps what an operation took at the present size.
func (l *lab) add(name, grows string, all []time.Duration) {
	i := slices.IndexFunc(l.results, func(r result) bool { return r.name == name })
	if i < 0 {
		i = len(l.results)
		l.results = append(l.results, result{name: name, grows: grows})
	}
	l.results[i].took = append(l.results[i].took, summary(all))
}

func summary(all []time.Duration) took {
	if len(all) == 0 {
		return took{}
	}
	sorted := slices.Sorted(slices.Values(all))
	return took{sorted[len(sorted)/2], sorted[len(sorted)*99/100], sorted[len(sorted)-1]}
}
