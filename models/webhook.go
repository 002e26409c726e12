package models

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// Webhook is where a team is told by a program: events are posted to its address.
type Webhook struct {
	TeamID string `gorm:"primaryKey"`
	URL    string
	// Sealed is the secret that deliveries are signed with.
	Sealed []byte
	// SecretAt is when that secret was made.
	SecretAt  Time
	CreatedAt Time `gorm:"autoCreateTime:false"`
	CreatedBy string
}

// Host is the part of the address that is no secret: a path or a query often is one.
func (w Webhook) Host() string { return WebhookHost(w.URL) }

// WebhookHost is the beginning of an address, up to its path.
func WebhookHost(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// WebhookEvent is the type of an event, as receivers see it.
type WebhookEvent string

// The events.
const (
	EventTokenEnding  WebhookEvent = "token.ending"
	EventSecretEnding WebhookEvent = "secret.ending"
	EventTest         WebhookEvent = "test"
	// EventPointsLow and EventPointsUsedUp come once each in a period.
	EventPointsLow    WebhookEvent = "points.low"
	EventPointsUsedUp WebhookEvent = "points.used_up"
)

// EventBody is the body of a delivery. Its fields are added to, never renamed.
func EventBody(kind WebhookEvent, now Time, data any) (string, error) {
	text, err := json.Marshal(struct {
		Type      WebhookEvent `json:"type"`
		Timestamp string       `json:"timestamp"`
		Data      any          `json:"data"`
	}{kind, now.Std().Format(time.RFC3339), data})
	return string(text), err
}

// Delivery is an event on its way to a webhook. Its ID is the same at each try.
type Delivery struct {
	ID        string `gorm:"primaryKey"`
	TeamID    string
	Event     WebhookEvent
	Body      string
	CreatedAt Time `gorm:"autoCreateTime:false"`
	// NextAt is when it is tried next, zero once it was delivered or given up.
	NextAt      Time
	Attempts    int
	DeliveredAt Time
	// LastAt is when it was last tried, and what came of it.
	LastAt  Time
	TookMS  int64 `gorm:"column:took_ms"`
	Status  int
	Problem string
}

// TableName tells gorm which table deliveries are in.
func (Delivery) TableName() string { return "webhook_deliveries" }

// DueDelivery is a delivery that is to be tried now, with where it goes.
type DueDelivery struct {
	Delivery `gorm:"embedded"`
	URL      string
	Sealed   []byte
}

// Bounds of deliveries.
const (
	// ShownDeliveries is how many the page shows.
	ShownDeliveries = 20
	// MaxWaiting is how many of one team may wait. What comes beyond is not queued:
	// the pages and mail tell of it all the same.
	MaxWaiting = 500
	// KeepDeliveries is how long they are kept.
	KeepDeliveries = 30 * 24 * time.Hour
)

// pauses are the times between the tries of one delivery.
var pauses = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour}

// MaxAttempts is how often a delivery is tried before it is given up.
var MaxAttempts = len(pauses) + 1

// NextTry is when a delivery is tried again after so many attempts have failed, the
// last one at now; zero gives it up.
func NextTry(attempts int, now Time) Time {
	if attempts < 1 || attempts > len(pauses) {
		return 0
	}
	return now.Add(pauses[attempts-1])
}

const maxWebhookURL = 2048

// CheckWebhookURL trims an address and checks its form; plain allows http. The second
// result is the sentence to show where it cannot be the address of a webhook. Where a
// name leads is checked at each connection.
func CheckWebhookURL(raw string, plain bool) (address, problem string) {
	address = strings.TrimSpace(raw)
	if address == "" {
		return "", "Enter the address that events are sent to."
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || strings.ContainsFunc(address, forbiddenInName) || strings.ContainsAny(address, ` \`):
		return "", "Enter an address such as https://example.com/latchkey."
	case len(address) > maxWebhookURL:
		return "", "Use at most 2,048 characters."
	case u.Scheme != "https" && plain && u.Scheme != "http":
		return "", "The address must begin with https:// or http://."
	case u.Scheme != "https" && !plain:
		return "", "The address must begin with https://."
	case u.User != nil:
		return "", "Leave out the name and password: deliveries are signed instead."
	case u.Fragment != "":
		return "", "Leave out the part after #: it is not sent."
	}
	return address, ""
}

// DeliveryAnswer is what came of one try. An empty Problem means that the receiver took it.
type DeliveryAnswer struct {
	// Status is the receiver's, zero where it gave none.
	Status  int
	Problem string
	Took    time.Duration
}
