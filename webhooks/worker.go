package webhooks

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

const (
	// lookEvery is how often deliveries that are due are looked for.
	lookEvery = time.Second
	// parallel is how many are tried at once, each of another team.
	parallel = 8
	// storeTimeout is what noting the outcome may take after the worker was stopped.
	storeTimeout = 5 * time.Second
)

// Worker delivers what is due. Several processes may have one each: every delivery is
// claimed before it is tried.
type Worker struct {
	store  *store.Store
	keys   *secrets.Keys
	client *client
	log    *slog.Logger
	now    func() models.Time

	delivered, failed, givenUp atomic.Int64
}

// NewWorker makes one; Run starts it.
func NewWorker(db *store.Store, keys *secrets.Keys, policy Policy, log *slog.Logger, now func() models.Time, options ...Option) *Worker {
	return &Worker{store: db, keys: keys, client: newClient(policy, options...), log: log, now: now}
}

// Run delivers until ctx ends. A try that runs then is broken off and made again later.
func (w *Worker) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	failing := false
	for {
		tried, err := w.Round(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			w.log.Warn("webhooks wait for the database", "error", err)
		}
		failing = err != nil
		if tried > 0 && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Round tries one due delivery of each of several teams, and returns how many it tried.
func (w *Worker) Round(ctx context.Context) (tried int, err error) {
	due, err := w.store.DueDeliveries(ctx, parallel)
	if err != nil {
		return 0, err
	}
	var tries sync.WaitGroup
	for _, d := range due {
		claimed, mine, failed := w.store.ClaimDelivery(ctx, d)
		if failed != nil {
			err = failed
			break
		}
		if mine {
			tried++
			tries.Go(func() { w.try(ctx, claimed) })
		}
	}
	tries.Wait()
	return tried, err
}

func (w *Worker) try(ctx context.Context, d models.DueDelivery) {
	answer := w.answer(ctx, d)
	if ctx.Err() != nil && answer.Problem != "" {
		return // its claim runs out, and it is tried again
	}
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	givenUp, err := w.store.FinishDelivery(storing, d, answer)
	// The address is not logged: its path may be a secret.
	line := w.log.With("delivery", d.ID, "team", d.TeamID, "event", d.Event, "attempt", d.Attempts, "status", answer.Status, "problem", answer.Problem)
	w.count(answer, givenUp)
	switch {
	case err != nil:
		line.Warn("the outcome of a delivery was not stored, it is tried again", "error", err)
	case givenUp:
		line.Warn("a delivery was given up")
	default:
		line.Info("delivery tried")
	}
}

func (w *Worker) count(answer models.DeliveryAnswer, givenUp bool) {
	if answer.Problem == "" {
		w.delivered.Add(1)
		return
	}
	w.failed.Add(1)
	if givenUp {
		w.givenUp.Add(1)
	}
}

func (w *Worker) answer(ctx context.Context, d models.DueDelivery) models.DeliveryAnswer {
	began := w.now()
	secret, err := OpenSecret(w.keys, models.Webhook{TeamID: d.TeamID, Sealed: d.Sealed})
	if err != nil {
		return models.DeliveryAnswer{Problem: "The signing secret cannot be read. Rotate it."}
	}
	status, problem := w.client.send(ctx, d, secret, began)
	return models.DeliveryAnswer{Status: status, Problem: problem, Took: w.now().Sub(began)}
}
