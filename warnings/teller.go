package warnings

import (
	"context"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/webhooks"
)

// stepsOfRun bounds one run, and so the mail that it makes: 20 steps of up to a hundred
// endings. What is left comes with the next run.
const stepsOfRun = 20

// Mailer is what sends mail, if anything does.
type Mailer interface {
	Enabled() bool
	Send(message mail.Message)
}

// Teller tells of what ends soon.
type Teller struct {
	store   *store.Store
	mail    Mailer
	baseURL string
	now     func() models.Time
}

// NewTeller makes one. baseURL is the public address without a slash at its end.
func NewTeller(db *store.Store, mailer Mailer, baseURL string, now func() models.Time) *Teller {
	return &Teller{store: db, mail: mailer, baseURL: baseURL, now: now}
}

// Run tells of all that is due, and returns how many things that were. Each person gets
// one mail, whatever ends and in however many teams. Mail leaves after the transaction
// that notes it: a crash in between loses it, and nobody is told twice.
func (t *Teller) Run(ctx context.Context) (told int, err error) {
	var all []models.Warning
	for range stepsOfRun {
		var step []models.Warning
		step, err = t.store.TellEnding(ctx, t.body)
		if err != nil || len(step) == 0 {
			break
		}
		all = append(all, step...)
	}
	if t.mail.Enabled() {
		for _, message := range messages(all, t.baseURL, t.now()) {
			t.mail.Send(message)
		}
	}
	return len(all), err
}

func (t *Teller) body(e models.Ending, now models.Time) (string, error) {
	return webhooks.EndingBody(e, pageOf(t.baseURL, e), now)
}

const applicationsPath = "/user/api_v2/applications"

func pageOf(baseURL string, e models.Ending) string {
	return baseURL + applicationsPath + "/" + e.ApplicationID
}
