package views

import (
	"strconv"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

func newAuditItem(event models.AuditEvent, now Clock) AuditItem {
	item := AuditItem{
		Icon: auditIcon(event.Action), Action: string(event.Action), Target: event.Target, About: event.Detail,
		Person: event.ActorName, Time: ui.Second(now.in(event.At)), Address: event.Address,
	}
	if item.About == "" {
		item.About = changesInShort(event)
	}
	item.Details = AuditDetails{What: string(event.Action) + ", " + item.Time.Text, Changes: event.Changed()}
	add := func(name, value string, code bool) {
		if value != "" {
			item.Details.Facts = append(item.Details.Facts, AuditFact{Name: name, Value: value, Code: code})
		}
	}
	add("Entry", models.FormatNumber(event.Seq), false)
	add("Exact time", item.Time.Title, false)
	if event.ActorRole != "" {
		add("Role", event.ActorRole.Title(), false)
	}
	add("Request ID", event.RequestID, true)
	add("Browser or program", event.UserAgent, false)
	if event.TargetID != event.Target {
		add("ID of the target", event.TargetID, true)
	}
	add("Hash", event.Hash, true)
	return item
}

// changesInShort says in the list what the details say in full. What is long stands there alone.
func changesInShort(event models.AuditEvent) string {
	var parts []string
	for _, change := range event.Changed() {
		part := change.Field + ": " + settingText(change.Before) + " to " + settingText(change.After)
		if len(part) > 160 {
			part = change.Field
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ". ")
}

func settingText(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// auditIcon decorates an action by its words.
func auditIcon(action models.AuditAction) string {
	name := strings.ToLower(string(action))
	for _, rule := range []struct{ words, icon string }{
		{"shown copied", "eye"}, {"failed refused not", "triangle-alert"}, {"revoked removed deleted ended cancelled off suspended disabled", "ban"},
		{"rotated renewed regenerated", "refresh-cw"},
	} {
		for word := range strings.FieldsSeq(rule.words) {
			if strings.Contains(" "+name+" ", " "+word+" ") {
				return rule.icon
			}
		}
	}
	switch action.Group() {
	case "applications":
		return "app-window"
	case "tokens", "secrets":
		return "key-round"
	case "members":
		return "users"
	case "sign-ins":
		return "circle-user"
	}
	return "settings"
}

// ActivityCard is the last events of one application.
type ActivityCard struct {
	Rows []AuditItem
	Href string
	Zone string
}

// ActivityRows is how many of its events an application's page shows.
const ActivityRows = 10

// NewActivityCard shows them; the audit log has the others.
func NewActivityCard(appID string, events []models.AuditEvent, now Clock) ActivityCard {
	card := ActivityCard{Href: AuditOfApplicationPath(appID), Zone: now.zoneName()}
	for _, event := range events {
		card.Rows = append(card.Rows, newAuditItem(event, now))
	}
	return card
}

// SeenBy tells who has seen a value.
type SeenBy struct {
	// Text is "Seen by 2 people", or that nobody has.
	Text  string
	What  string
	Rows  []WitnessItem
	Maker string // of a secret; a token says so in its own column
}

// WitnessItem is a person who has seen it.
type WitnessItem struct {
	Name  string
	Times string
	Last  ui.Moment
}

func newSeenBy(seen models.Witnesses, id, what string, now Clock) SeenBy {
	by := SeenBy{Text: "Shown to nobody yet", What: what, Maker: seen.Makers[id]}
	rows := seen.Sightings[id]
	switch len(rows) {
	case 0:
	case 1:
		by.Text = "Seen by 1 person"
	default:
		by.Text = "Seen by " + strconv.Itoa(len(rows)) + " people"
	}
	for _, row := range rows {
		item := WitnessItem{Name: row.UserName, Times: "once,", Last: ago(row.LastAt, now).Within()}
		if row.Times > 1 {
			item.Times = models.FormatNumber(row.Times) + " times, last"
		}
		by.Rows = append(by.Rows, item)
	}
	return by
}
