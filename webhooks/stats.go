package webhooks

// Stats counts tries of this process: Delivered and Failed ones, and deliveries that were
// GivenUp with the last try.
type Stats struct{ Delivered, Failed, GivenUp int64 }

// Stats says what the worker has done so far.
func (w *Worker) Stats() Stats {
	return Stats{Delivered: w.delivered.Load(), Failed: w.failed.Load(), GivenUp: w.givenUp.Load()}
}
