package main

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/warnings"
	"github.com/latchkey/latchkey/webhooks"
)

// warnEvery is how late a warning may be.
const warnEvery = 5 * time.Minute

// warn tells of what ends soon, at the start and every few minutes, and delivers what
// goes to webhooks, until ctx ends. It returns a function that waits for both.
func warn(ctx context.Context, db *store.Store, worker *webhooks.Worker, mailer *mail.Mailer, config Config, log *slog.Logger) (wait func()) {
	teller := warnings.NewTeller(db, mailer, config.BaseURL, clockMillis)
	var runs sync.WaitGroup
	runs.Go(func() { worker.Run(ctx) })
	runs.Go(func() {
		ticker := time.NewTicker(warnEvery)
		defer ticker.Stop()
		for {
			alone(ctx, db, "warnings", log, func(ctx context.Context) { tellAndLog(ctx, teller, log) })
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return runs.Wait
}

func tellAndLog(ctx context.Context, teller *warnings.Teller, log *slog.Logger) {
	told, err := teller.Run(ctx)
	if told > 0 {
		log.Info("people were told of what ends soon", "tokens_and_secrets", models.FormatNumber(int64(told)))
	}
	if err != nil && ctx.Err() == nil {
		log.Warn("not all warnings were given, the next run is in 5 minutes", "error", err)
	}
}

func webhookPolicy(config Config) webhooks.Policy {
	policy := webhooks.Policy{Private: config.WebhookPrivate}
	if base, err := url.Parse(config.BaseURL); err == nil {
		policy.OwnHost = base.Hostname()
	}
	return policy
}
