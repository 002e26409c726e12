package main

import (
	"sync/atomic"

	"github.com/latchkey/latchkey/metrics"
	"github.com/latchkey/latchkey/models"
)

// jobs are what was done by those that delete what has ended.
type jobs struct{ swept, tokens, audit job }

// job is one of them. It is safe for concurrent use.
type job struct{ rows, failures, last atomic.Int64 }

// ended notes a run.
func (j *job) ended(rows int64, err error) {
	j.rows.Add(rows)
	if err != nil {
		j.failures.Add(1)
		return
	}
	j.last.Store(int64(clockMillis()))
}

// read is for the metrics.
func (j *jobs) read() []metrics.Run {
	of := func(name string, counts bool, of *job) metrics.Run {
		read := metrics.Run{Job: name, Rows: of.rows.Load(), Failures: of.failures.Load(), Counts: counts}
		if last := models.Time(of.last.Load()); !last.IsZero() {
			read.Last = last.Std()
		}
		return read
	}
	return []metrics.Run{of("sweep", false, &j.swept), of("tokens", true, &j.tokens), of("audit", true, &j.audit)}
}
