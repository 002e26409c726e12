package views

import (
	"strconv"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// WarningsState is what handlers know about how a team is told.
type WarningsState struct {
	Role  models.Role
	Mails bool
	// Feed is the reader's own, nil where it is off; Hook the team's, nil where there is none.
	Feed       *models.CalendarFeed
	Hook       *models.Webhook
	Deliveries []models.Delivery
	// FeedAddress is set on the answer that makes the feed, Secret on that to a reveal form alone.
	FeedAddress models.Secret
	Secret      models.Secret
}

// WarningsView is the page Warnings.
type WarningsView struct {
	Lead     string
	Zone     string
	Calendar CalendarCard
	Webhook  WebhookCard
	// FeedAddress and Secret are empty but on the answers to their own forms.
	FeedAddress models.Secret
	Secret      models.Secret
}

// CalendarCard is the reader's calendar feed.
type CalendarCard struct {
	On       bool
	Made     ui.Moment
	LastRead ui.Moment
	Submit   string
}

// WebhookCard is the team's webhook. What the role may not do has an empty address.
type WebhookCard struct {
	Set bool
	// Address is whole for owners alone.
	Address                                      string
	EditHref, RemoveHref, RotateHref, TestAction string
	RevealAction                                 string
	SecretAt                                     ui.Moment
	Deliveries                                   []DeliveryItem
	// Failed tells that the newest delivery was given up.
	Failed bool
}

// DeliveryItem is a row of the last deliveries.
type DeliveryItem struct {
	Event    string
	ID       string
	ShortID  string
	Created  ui.Moment
	Status   string
	Tone     string
	Next     ui.Moment // zero where it is not tried again
	Answer   string
	Took     string
	Attempts string
}

// NewWarningsView shows how the reader and the team are told.
func NewWarningsView(state WarningsState, now Clock) WarningsView {
	view := WarningsView{
		Lead: "Before a manually created token or an old client secret ends, the pages mark it and the webhook gets an event, 7 days and 1 day ahead. " +
			"A token that lives no longer than that is left out. This Latchkey sends no mail.",
		Zone:        now.zoneName(),
		Calendar:    CalendarCard{Submit: "Make a feed", Made: ui.Never, LastRead: ui.Never},
		FeedAddress: state.FeedAddress, Secret: state.Secret,
	}
	if state.Mails {
		view.Lead = "Before a manually created token or an old client secret ends, whoever made it and the owners get a mail, 7 days and 1 day ahead, once each. " +
			"The pages mark it and the webhook gets an event. A token that lives no longer than that is left out."
	}
	if state.Feed != nil {
		view.Calendar = CalendarCard{On: true, Made: day(state.Feed.CreatedAt, now), LastRead: ago(state.Feed.LastUsedAt, now), Submit: "Renew address"}
	}
	view.Webhook = newWebhookCard(state, now)
	return view
}

func newWebhookCard(state WarningsState, now Clock) WebhookCard {
	card := WebhookCard{SecretAt: ui.Never}
	owns := state.Role.May(models.MayOwn)
	if owns {
		card.EditHref = WebhookPath
	}
	if state.Hook == nil {
		return card
	}
	card.Set, card.Address, card.SecretAt = true, state.Hook.Host()+"/…", day(state.Hook.SecretAt, now)
	if owns {
		card.Address, card.RemoveHref, card.RotateHref, card.TestAction = state.Hook.URL, RemoveWebhookPath, RotateWebhookSecretPath, TestWebhookPath
	}
	if state.Role.May(models.MayReveal) {
		card.RevealAction = RevealWebhookSecretPath
	}
	for _, d := range state.Deliveries {
		card.Deliveries = append(card.Deliveries, newDeliveryItem(d, now))
	}
	card.Failed = len(state.Deliveries) > 0 && state.Deliveries[0].NextAt.IsZero() && state.Deliveries[0].DeliveredAt.IsZero()
	return card
}

func newDeliveryItem(d models.Delivery, now Clock) DeliveryItem {
	item := DeliveryItem{
		Event: string(d.Event), ID: d.ID, ShortID: shortID(d.ID), Created: ago(d.CreatedAt, now), Answer: d.Problem, Status: "Waiting", Tone: "warning",
		Attempts: strconv.Itoa(d.Attempts) + " of " + strconv.Itoa(models.MaxAttempts),
	}
	if d.Problem == "" && d.Status != 0 {
		item.Answer = "It answered " + strconv.Itoa(d.Status) + "."
	}
	if d.Attempts > 0 && item.Answer != "" {
		item.Took = "after " + milliseconds(d.TookMS)
	}
	switch {
	case !d.DeliveredAt.IsZero():
		item.Status, item.Tone = "Delivered", "success"
	case d.NextAt.IsZero():
		item.Status, item.Tone = "Given up", "danger"
	case d.NextAt > now.Time:
		item.Next = until(d.NextAt, now)
	}
	return item
}

func milliseconds(n int64) string {
	if n >= 1000 {
		return strconv.FormatFloat(float64(n)/1000, 'f', 1, 64) + " s"
	}
	return strconv.FormatInt(n, 10) + " ms"
}

// WebhookForm asks for the address of the webhook.
type WebhookForm struct {
	Set   bool
	URL   string
	Error string
	Hint  string
}

// NewWebhookForm is the form for the address; set tells that there is one, private
// that addresses inside the network may be entered.
func NewWebhookForm(set bool, address, problem string, private bool) WebhookForm {
	form := WebhookForm{Set: set, URL: address, Error: problem, Hint: "It begins with https:// and can be reached from the internet."}
	if private {
		form.Hint = "It begins with https:// or http://. Private addresses are allowed here."
	}
	return form
}

// Title is the heading of the form.
func (f WebhookForm) Title() string {
	if f.Set {
		return "Edit webhook"
	}
	return "Set up webhook"
}

// Submit is its button.
func (f WebhookForm) Submit() string {
	if f.Set {
		return "Save changes"
	}
	return "Set up webhook"
}
