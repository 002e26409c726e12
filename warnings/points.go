package warnings

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

const (
	usagePath = "/user/usage"
	// alertTime bounds how long finding the owners may take.
	alertTime = 10 * time.Second
)

// PointAlerts mails owners that the points of their team run out. What goes to webhooks
// is queued with the alert itself, in package store.
type PointAlerts struct {
	store   *store.Store
	mail    Mailer
	baseURL string
	log     *slog.Logger
}

// NewPointAlerts makes one. baseURL is the public address without a slash at its end.
func NewPointAlerts(db *store.Store, mailer Mailer, baseURL string, log *slog.Logger) *PointAlerts {
	return &PointAlerts{store: db, mail: mailer, baseURL: baseURL, log: log}
}

// Tell mails the owners of alerts, which are stored already: a crash in between loses
// the mail, and nobody is told twice.
func (p *PointAlerts) Tell(alerts []models.PointAlert) {
	if !p.mail.Enabled() {
		return
	}
	for _, alert := range alerts {
		p.tell(alert)
	}
}

func (p *PointAlerts) tell(alert models.PointAlert) {
	ctx, cancel := context.WithTimeout(context.Background(), alertTime)
	defer cancel()
	owners, err := p.store.Owners(ctx, alert.TeamID)
	if err != nil {
		p.log.Warn("owners were not mailed that points run out", "team", alert.TeamID, "error", err)
		return
	}
	for _, owner := range owners {
		p.mail.Send(mail.Message{To: owner.Email, Subject: pointsSubject(alert), Text: models.NewSecret(pointsText(alert, owner, p.baseURL))})
	}
}

// pointsSubject holds no name that somebody has chosen.
func pointsSubject(alert models.PointAlert) string {
	if alert.Mark >= 100 {
		return "All points of your team are used"
	}
	return fmt.Sprintf("%d%% of your team's points are used", alert.Mark)
}

func pointsText(alert models.PointAlert, to models.Recipient, baseURL string) string {
	left := max(0, alert.Total-alert.Used)
	text := fmt.Sprintf("Hello %s,\n\nteam %s has used %s of its %s of this period (plan %s).\n", line(to.Name), line(alert.TeamName),
		models.FormatNumber(alert.Used), models.Count(alert.Total, "point"), line(alert.PlanName))
	switch {
	case alert.Mark >= 100 && alert.Overage:
		text += "The plan lets calls go on; what they use beyond is counted.\n"
	case alert.Mark >= 100:
		text += "Calls are refused from now on.\n"
	default:
		text += models.Count(left, "point") + " left.\n"
	}
	return text + fmt.Sprintf("\nThe period ends %s.\nWhat uses the points: %s%s\n\nWhoever runs Latchkey can add points or change the plan.\n",
		alert.PeriodEndsAt.Std().In(zoneOf(to)).Format("2 Jan 2006, 15:04 MST"), baseURL, usagePath)
}
