package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) usage(c echo.Context) error {
	ctx, team, now := c.Request().Context(), actorOf(c).TeamID, h.now()
	standing, err := h.Meter.Standing(ctx, team)
	if err != nil {
		return err
	}
	state := views.UsageState{
		Standing: standing, Streams: h.Gateway.Streams.OfTeam(team),
		Choice: views.NewUsageChoice(c.QueryParam(views.UsageDays), c.QueryParam(views.UsageUnit), standing, now),
	}
	if state.Week, err = h.Store.UsageSeries(ctx, team, views.PaceSpan(now), models.UsageByDay); err != nil {
		return err
	}
	if err := h.usageFigures(c, &state); err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.Usage(page, views.NewUsageView(state, h.clock(c))))
}

// usageFigures reads what the chart and the tables show.
func (h *Handlers) usageFigures(c echo.Context, state *views.UsageState) error {
	ctx, team, span := c.Request().Context(), actorOf(c).TeamID, state.Choice.Span
	var err error
	if state.Series, err = h.Store.UsageSeries(ctx, team, span, state.Choice.By); err != nil {
		return err
	}
	if len(state.Series) == 0 {
		known, err := h.Store.AnyUsage(ctx, team)
		state.Never = !known
		return err
	}
	for _, table := range []struct {
		into *models.UsageTable
		by   models.UsageBy
		rows int
	}{
		{&state.Applications, models.UsageByApplication, views.UsageRows}, {&state.Routes, models.UsageByRoute, views.UsageRows},
		{&state.Tokens, models.UsageByToken, views.UsageRows}, {&state.Statuses, models.UsageByStatus, maxStatuses},
	} {
		if *table.into, err = h.Store.Usage(ctx, team, span, table.by, table.rows); err != nil {
			return err
		}
	}
	return nil
}

// maxStatuses is as many as HTTP has.
const maxStatuses = 600

// useToday is the card of an application's page, nil where no calls come through here.
func (h *Handlers) useToday(c echo.Context, app models.Application) (*views.UseCard, error) {
	actor := actorOf(c)
	today, err := h.Store.UsageTotal(c.Request().Context(), actor.TeamID, app.ID, models.LastDays(1, h.now()))
	if err != nil || len(h.Gateway.Routes) == 0 && app.PointsPerDay == 0 && today.Requests == 0 {
		return nil, err
	}
	return views.NewUseCard(app, today, h.Gateway.Streams.OfApplication(actor.TeamID, app.ID), actor.Role), nil
}
