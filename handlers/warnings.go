package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/webhooks"
)

// warningLimits bound what members and programs set off.
type warningLimits struct {
	// tests counts the test events of a team, feeds how often a feed is read, and wrongFeeds
	// codes that are none, by address.
	tests, feeds, wrongFeeds *middleware.Limiter
}

func newWarningLimits(limiter middleware.Maker) warningLimits {
	every := func(window time.Duration, free int, name string) *middleware.Limiter {
		return limiter(name, middleware.Policy{Free: free, Window: window, Size: 1 << 14})
	}
	return warningLimits{
		tests: every(time.Hour, 20, "test events"), feeds: every(10*time.Minute, 60, "calendar feeds"), wrongFeeds: every(time.Minute, 30, "wrong calendar feeds"),
	}
}

func (h *Handlers) warnings(c echo.Context) error {
	return h.showWarnings(c, models.Secret{}, models.Secret{})
}

// showWarnings renders the page Warnings, with a value where one was asked for.
func (h *Handlers) showWarnings(c echo.Context, feedAddress, secret models.Secret) error {
	ctx, actor := c.Request().Context(), actorOf(c)
	state := views.WarningsState{Role: actor.Role, Mails: h.Mail.Enabled(), FeedAddress: feedAddress, Secret: secret}
	feed, err := h.Store.CalendarFeed(ctx, actor.TeamID, actor.UserID)
	if err == nil {
		state.Feed = &feed
	} else if !errors.Is(err, models.ErrNotFound) {
		return err
	}
	hook, err := h.Store.Webhook(ctx, actor.TeamID)
	if err == nil {
		state.Hook = &hook
		state.Deliveries, err = h.Store.Deliveries(ctx, actor.TeamID)
	}
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.Warnings(page, views.NewWarningsView(state, h.clock(c))))
}

// hasWebhook tells whether the actor's team has one, and its address.
func (h *Handlers) hasWebhook(c echo.Context) (models.Webhook, bool, error) {
	hook, err := h.Store.Webhook(c.Request().Context(), actorOf(c).TeamID)
	if errors.Is(err, models.ErrNotFound) {
		return hook, false, nil
	}
	return hook, err == nil, err
}

func (h *Handlers) webhookPage(c echo.Context) error {
	hook, set, err := h.hasWebhook(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.Webhook(h.plainPage(c), views.NewWebhookForm(set, hook.URL, "", h.Webhooks.Private)))
}

func (h *Handlers) setWebhook(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	_, set, err := h.hasWebhook(c)
	if err != nil {
		return err
	}
	address, problem := h.Webhooks.Check(fields.Get("url"))
	if problem != "" {
		page := views.NewWebhookForm(set, fields.Get("url"), problem, h.Webhooks.Private)
		return show(c, http.StatusUnprocessableEntity, views.Webhook(h.plainPage(c), page))
	}
	actor := actorOf(c)
	sealed, err := webhooks.NewSecret(h.Keys, actor.TeamID)
	if err != nil {
		return err
	}
	if err := h.Store.SetWebhook(c.Request().Context(), actor, address, sealed); err != nil {
		return err
	}
	text := "The webhook was set up. Send a test event to try it."
	if set {
		text = "The address of the webhook was saved."
	}
	return h.say(c, views.WarningsPath, flash{Text: text})
}

func (h *Handlers) testWebhook(c echo.Context) error {
	actor := actorOf(c)
	if _, wait := h.warned.tests.Take(actor.TeamID); wait > 0 {
		return echo.NewHTTPError(slowDown(c, wait))
	}
	err := h.Store.TestWebhook(c.Request().Context(), actor, func(now models.Time) (string, error) { return webhooks.TestBody(actor, now) })
	if errors.Is(err, models.ErrBusy) {
		return h.say(c, views.WarningsPath, flash{Tone: "danger", Text: "Too many deliveries wait already. Correct the address or the receiver first."})
	}
	if err != nil {
		return err
	}
	return h.say(c, views.WarningsPath, flash{Text: "A test event is on its way. Load this page again to see the answer."})
}

func (h *Handlers) removeWebhookPage(c echo.Context) error {
	return show(c, http.StatusOK, views.RemoveWebhook(h.plainPage(c)))
}

func (h *Handlers) removeWebhook(c echo.Context) error {
	if err := h.Store.RemoveWebhook(c.Request().Context(), actorOf(c)); err != nil {
		return err
	}
	return h.say(c, views.WarningsPath, flash{Text: "The webhook was removed."})
}

func (h *Handlers) rotateWebhookPage(c echo.Context) error {
	return show(c, http.StatusOK, views.RotateWebhookSecret(h.plainPage(c), newOnce()))
}

func (h *Handlers) rotateWebhook(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	actor := actorOf(c)
	sealed, err := webhooks.NewSecret(h.Keys, actor.TeamID)
	if err != nil {
		return err
	}
	if err := h.Store.RotateWebhookSecret(c.Request().Context(), actor, sealed, onceOf(c, fields)); err != nil {
		return err
	}
	return h.say(c, views.WarningsPath, flash{Text: "The signing secret was rotated. Show it below and give it to your receiver."})
}

// revealWebhook answers the signing secret. The audit event is stored before.
func (h *Handlers) revealWebhook(c echo.Context) error {
	hook, err := h.Store.RevealWebhookSecret(c.Request().Context(), actorOf(c))
	if err != nil {
		return err
	}
	secret, err := webhooks.OpenSecret(h.Keys, hook)
	if err != nil {
		return err
	}
	if wantsJSON(c) {
		return answerValue(c, secret)
	}
	return h.showWarnings(c, models.Secret{}, secret)
}
