package webhooks

import (
	"time"

	"github.com/latchkey/latchkey/models"
)

// endingData says what ends. It holds names and the last four characters, never a value.
type endingData struct {
	TeamID          string `json:"team_id"`
	Team            string `json:"team"`
	ApplicationID   string `json:"application_id"`
	Application     string `json:"application"`
	TokenID         string `json:"token_id,omitempty"`
	SecretID        string `json:"secret_id,omitempty"`
	Name            string `json:"name,omitempty"`
	Last4           string `json:"last4"`
	CreatedBy       string `json:"created_by,omitempty"`
	CreatedAt       string `json:"created_at"`
	ExpiresAt       string `json:"expires_at"`
	SecondsLeft     int64  `json:"seconds_left"`
	ApplicationPage string `json:"application_url"`
}

type testData struct {
	TeamID  string `json:"team_id"`
	Team    string `json:"team"`
	Message string `json:"message"`
}

// EndingBody is the body of token.ending and secret.ending; page is the address of the
// application's page.
func EndingBody(e models.Ending, page string, now models.Time) (string, error) {
	kind := models.EventTokenEnding
	data := endingData{
		TeamID: e.TeamID, Team: e.TeamName, ApplicationID: e.ApplicationID, Application: e.ApplicationName, Name: e.Name, Last4: e.Last4,
		CreatedBy: e.MadeByName, CreatedAt: timestamp(e.CreatedAt), ExpiresAt: timestamp(e.EndsAt),
		SecondsLeft: int64(e.EndsAt.Sub(now) / time.Second), ApplicationPage: page,
	}
	if e.Kind == models.EndingSecret {
		kind, data.SecretID = models.EventSecretEnding, e.ID
	} else {
		data.TokenID = e.ID
	}
	return models.EventBody(kind, now, data)
}

// TestBody is the body of a test event.
func TestBody(actor models.Actor, now models.Time) (string, error) {
	return models.EventBody(models.EventTest, now, testData{TeamID: actor.TeamID, Team: actor.TeamName, Message: "This is a test event from Latchkey."})
}

func timestamp(t models.Time) string { return t.Std().Format(time.RFC3339) }
