package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

// auditInput is the filter as it stands in the address.
func auditInput(c echo.Context) models.AuditInput {
	param := func(name string) string { return middleware.Clip(c.QueryParam(name), 300) }
	return models.AuditInput{
		Action: param(views.AuditAction), Person: param(views.AuditPerson), Application: param(views.AuditApplication),
		From: param(views.AuditFrom), To: param(views.AuditTo), Text: param(views.AuditText),
	}
}

// auditFilter reads the filter, in the reader's zone. An application of another team does
// not exist (models.ErrNotFound); what is typed wrongly gives models.FieldErrors.
func (h *Handlers) auditFilter(c echo.Context, log auditLog, typed models.AuditInput) (models.AuditQuery, models.Application, error) {
	query, err := typed.Validate(h.zones.of(actorOf(c).TimeZone))
	if typed.Application == "" {
		return query, models.Application{}, err
	}
	app, missing := h.Store.LoggedApplication(c.Request().Context(), log.team, typed.Application)
	if missing != nil {
		return query, app, missing
	}
	return query, app, err
}

func (h *Handlers) showLog(c echo.Context, log auditLog) error {
	ctx, typed := c.Request().Context(), auditInput(c)
	query, app, err := h.auditFilter(c, log, typed)
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	status, list := http.StatusOK, models.AuditList{}
	if errs != nil {
		status = http.StatusUnprocessableEntity
	} else {
		query.Before, query.After = models.ParseAuditPlace(c.QueryParam(views.AuditBefore)), models.ParseAuditPlace(c.QueryParam(views.AuditAfter))
		if list, err = h.Store.AuditPage(ctx, log.team, query); err != nil {
			return err
		}
	}
	state := views.AuditState{Path: log.path, Nav: log.nav, Typed: typed, Errors: errs, Chosen: app, Keep: models.FormatKept(h.KeepAudit)}
	if state.Choices, err = h.Store.AuditChoices(ctx, log.team, maxChoices); err != nil {
		return err
	}
	if state.Chain, err = h.Store.AuditChain(ctx, log.team); err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, status, views.Audit(page, views.NewAuditView(list, state, h.clock(c))))
}

// activity is the last events of an application.
func (h *Handlers) activity(c echo.Context, appID string) (views.ActivityCard, error) {
	events, err := h.Store.AuditEvents(c.Request().Context(), actorOf(c).TeamID, models.AuditQuery{Application: appID}, views.ActivityRows)
	return views.NewActivityCard(appID, events, h.clock(c)), err
}

// witnesses tells who has seen the values that a page shows masked.
func (h *Handlers) witnesses(c echo.Context, appID string, tokens []models.TokenRow, secrets []models.ClientSecret) (models.Witnesses, error) {
	var objects []string
	for _, token := range tokens {
		objects = append(objects, token.ID)
	}
	for _, secret := range secrets {
		objects = append(objects, secret.ID)
	}
	if len(objects) == 0 {
		return models.Witnesses{}, nil
	}
	return h.Store.Witnesses(c.Request().Context(), actorOf(c).TeamID, appID, objects)
}

// noteRefused writes into the team's log what one of its members was not allowed to do (A3).
// What comes faster than anyone clicks stands in the text log alone.
func (h *Handlers) noteRefused(c echo.Context, status int, err error) {
	actor, reason := actorOf(c), ""
	switch {
	case errors.Is(err, ErrCrossSite):
		reason = "Sent by a page of another site"
	case errors.Is(err, models.ErrForbidden):
		reason = "The role does not allow it"
	case status == http.StatusTooManyRequests:
		reason = "Too many within a minute"
	}
	if reason == "" || actor.UserID == "" || actor.TeamID == "" {
		return
	}
	if _, wait := h.refusals.Take(actor.UserID); wait > 0 {
		return
	}
	// Whoever hangs up is noted all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), time.Second)
	defer cancel()
	if err := h.Store.Refused(ctx, actor, c.Request().Method+" "+c.Path(), reason); err != nil {
		h.Log.Warn("refusal not noted", "request", middleware.ID(c), "error", err)
	}
}
