package views

import (
	"strconv"

	"github.com/latchkey/latchkey/models"
)

// UseCard is what an application has used today.
type UseCard struct {
	// Points says also how many there may be; Used and Limit are the meter's, empty without a cap.
	Points, Used, Limit string
	// Reached means that no more calls pass today.
	Reached  bool
	Requests string
	Streams  string
	EditHref string
}

// NewUseCard shows what app has used since midnight (UTC), and what of its streams is open.
func NewUseCard(app models.Application, today models.UsageSum, streams int, role models.Role) *UseCard {
	card := &UseCard{
		Points: models.FormatNumber(today.Points) + ", no limit of its own", Requests: models.FormatNumber(today.Requests),
		Streams: models.FormatNumber(int64(streams)) + " open now",
	}
	if limit := app.PointsPerDay; limit > 0 {
		card.Points = models.FormatNumber(today.Points) + " of " + models.FormatNumber(limit)
		card.Used, card.Limit = strconv.FormatInt(min(today.Points, limit), 10), strconv.FormatInt(limit, 10)
		card.Reached = today.Points >= limit
	}
	if role.May(models.MayManage) {
		card.EditHref = EditApplicationPath(app.ID)
	}
	return card
}

// tone is the meter's, as on the Usage page.
func (card *UseCard) tone() string {
	if card.Reached {
		return "warning"
	}
	return ""
}
