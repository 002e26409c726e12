package usage

import (
	"fmt"
	"time"

	"github.com/latchkey/latchkey/models"
)

const days = "2 Jan 2006"

func unavailable(err error) error { return fmt.Errorf("%w: %w", models.ErrUnavailable, err) }

func (a *account) refuseEnded() error {
	return RefusedError{Limit: LimitEnded, Text: fmt.Sprintf(
		"The team's plan %s ended on %s. Whoever runs Latchkey can give it another.",
		a.standing.Plan.Name, a.standing.EndsAt.Std().Format(days))}
}

func (a *account) refuseRate(p *Permit, wait time.Duration) error {
	whole := int64((wait + time.Second - 1) / time.Second)
	return RefusedError{Limit: LimitRate, RetryAfter: wait, Rate: p.Rate, Text: fmt.Sprintf(
		"The team makes more than the %s a minute of its plan %s. Wait %s, or ask whoever runs Latchkey for a larger plan.",
		models.Count(p.Rate.Limit, "request"), a.standing.Plan.Name, models.Count(whole, "second"))}
}

// refusePoints says too few where some are left.
func (a *account) refusePoints(cost int64, left Rate, now models.Time) error {
	refused := RefusedError{Limit: LimitPoints, Rate: left}
	what := "The team has no points left."
	if points := a.standing.Balance - a.unstored - a.held; points > 0 && points < cost {
		what = fmt.Sprintf("The team has %s left, and the call costs %s.", models.Count(points, "point"), models.FormatNumber(cost))
	}
	refill := a.standing.PeriodEndsAt
	ends := a.standing.EndsAt
	if a.standing.Plan.Points <= 0 || !ends.IsZero() && ends <= refill {
		refused.Text = what + " Whoever runs Latchkey can add points."
		return refused
	}
	refused.RetryAfter = max(refill.Sub(now), 0)
	refused.Text = fmt.Sprintf("%s Whoever runs Latchkey can add points; the next refill is on %s.", what, refill.Std().Format(days))
	return refused
}

func (app *application) refuse(cost int64, left Rate, now models.Time) error {
	what := fmt.Sprintf("The application has used its %s of today", models.Count(app.limit, "point"))
	if points := app.limit - app.spent() - app.held; points > 0 {
		what = fmt.Sprintf("The application has %s left of the %s that it may spend today, and the call costs %s",
			models.FormatNumber(points), models.Count(app.limit, "point"), models.FormatNumber(cost))
	}
	return RefusedError{Limit: LimitDay, Rate: left, RetryAfter: now.Day().Add(24 * time.Hour).Sub(now), Text: what +
		". An owner or a developer of the team can raise that on the application's page; the next day begins at 00:00 UTC."}
}
