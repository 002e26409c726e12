package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/latchkey/latchkey/store"
)

// keep is what operators get who set nothing.
var keep = store.Retention{Manual: 720 * time.Hour, Issued: 24 * time.Hour}

// fewSteps are those at the beginning and at the end of a purge that are compared.
const fewSteps = 20

// measurePurge finds out what is due and deletes it without a rest, beside one who issues
// tokens all the time.
func (l *lab) measurePurge(ctx context.Context) error {
	if err := l.steps(ctx, "a step of erasing what has expired", l.store.PurgeLeftovers(), l.purging/2); err != nil {
		return err
	}
	start := now()
	due, err := l.store.Purge(ctx, keep)
	if err != nil {
		return err
	}
	l.add("find out what to purge", "", []time.Duration{now().Sub(start)})
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var beside sync.WaitGroup
	var waits []time.Duration
	var failed error
	beside.Go(func() {
		for ctx.Err() == nil {
			l.issued++
			start := now()
			if err := l.issue(ctx, l.issued, 1); err != nil && ctx.Err() == nil {
				failed = err
				return
			}
			waits = append(waits, now().Sub(start))
		}
	})
	err = l.steps(ctx, "a step of the purge", due, l.purging)
	stop()
	beside.Wait()
	l.add("issue one token beside the purge", "", waits)
	return errors.Join(err, failed)
}

// steps purges for so long at most.
func (l *lab) steps(ctx context.Context, name string, due *store.Purge, most time.Duration) error {
	var all []time.Duration
	began, done := now(), false
	for !done && now().Sub(began) < most {
		start := now()
		var err error
		if done, err = due.Step(ctx); err != nil {
			return err
		}
		all = append(all, now().Sub(start))
	}
	l.add(name, "", all)
	if len(all) > 2*fewSteps {
		l.note("%s: %s rows deleted in %.0f s; the first %d steps took %s, the last %d %s; everything deleted: %t", name, thousands(due.Deleted),
			now().Sub(began).Seconds(), fewSteps, text(summary(all[:fewSteps]).p50), fewSteps, text(summary(all[len(all)-fewSteps:]).p50), done)
	}
	return nil
}
