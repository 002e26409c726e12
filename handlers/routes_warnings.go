package handlers

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

const paramCode = "code"

// warningPages are about what ends and what should be looked at.
func (h *Handlers) warningPages() []Route {
	const (
		app   = views.ApplicationsPath + "/:" + paramApplication
		token = app + "/tokens/:" + paramToken
	)
	owns, ownsFresh := Access{May: models.MayOwn}, Access{May: models.MayOwn, Fresh: true}
	return []Route{
		{get, views.HygienePath, view, h.hygiene},
		{post, app + "/keep", manage, h.keepFinding},
		{post, app + "/takeover", manage, h.takeOver},
		{get, token + "/regenerate", manage, h.regeneratePage},
		{post, token + "/regenerate", manage, h.regenerate},

		{get, views.WarningsPath, view, h.warnings},
		{post, views.MakeCalendarPath, Access{May: models.MayView, Fresh: true}, h.makeCalendar},
		{post, views.RemoveCalendarPath, view, h.removeCalendar},
		{get, views.WebhookPath, ownsFresh, h.webhookPage},
		{post, views.WebhookPath, ownsFresh, h.setWebhook},
		{post, views.TestWebhookPath, owns, h.testWebhook},
		{get, views.RemoveWebhookPath, ownsFresh, h.removeWebhookPage},
		{post, views.RemoveWebhookPath, ownsFresh, h.removeWebhook},
		{get, views.RotateWebhookSecretPath, ownsFresh, h.rotateWebhookPage},
		{post, views.RotateWebhookSecretPath, ownsFresh, h.rotateWebhook},
		{post, views.RevealWebhookSecretPath, reveal, h.revealWebhook},

		{get, views.CalendarPath + ":" + paramCode, public, h.calendar},
	}
}
