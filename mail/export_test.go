package mail

import (
	"context"
	"log/slog"
	"time"
)

// Quick is New for tests: it waits milliseconds where New waits minutes.
func Quick(ctx context.Context, server Server, log *slog.Logger, change ...func(waiting *int, step, longest *time.Duration)) *Mailer {
	p := pace{
		waiting: 20, step: 2 * time.Second, whole: 4 * time.Second, pauses: []time.Duration{20 * time.Millisecond}, tries: 4, longest: time.Minute,
	}
	for _, f := range change {
		f(&p.waiting, &p.step, &p.longest)
	}
	p.whole = 2 * p.step
	return start(ctx, server, log, time.Now, p)
}
