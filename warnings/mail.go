package warnings

import (
	"fmt"
	"strings"
	"time"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
)

// mailLines is how many things a mail lists; it counts the others.
const mailLines = 50

// letter is what one person is told.
type letter struct {
	to    models.Recipient
	lines []models.Ending
}

// messages makes one mail for each person.
func messages(all []models.Warning, baseURL string, now models.Time) []mail.Message {
	letters := map[string]*letter{}
	var order []*letter
	for _, warning := range all {
		for _, person := range warning.People {
			l := letters[person.UserID]
			if l == nil {
				l = &letter{to: person}
				letters[person.UserID] = l
				order = append(order, l)
			}
			l.lines = append(l.lines, warning.Ending)
		}
	}
	var sent []mail.Message
	for _, l := range order {
		sent = append(sent, mail.Message{To: l.to.Email, Subject: subject(l.lines), Text: models.NewSecret(l.text(baseURL, now))})
	}
	return sent
}

// subject holds no name that somebody has chosen.
func subject(lines []models.Ending) string {
	if len(lines) > 1 {
		return models.FormatNumber(int64(len(lines))) + " tokens or secrets end soon"
	}
	if lines[0].Kind == models.EndingSecret {
		return "An old client secret ends soon"
	}
	return "An access token ends soon"
}

func (l *letter) text(baseURL string, now models.Time) string {
	var b strings.Builder
	b.WriteString("Hello " + l.to.Name + ",\n\nwhat still uses these is refused once they end:\n")
	zone := zoneOf(l.to)
	for i, e := range l.lines {
		if i == mailLines {
			_, _ = fmt.Fprintf(&b, "\nand %s more.\n", models.FormatNumber(int64(len(l.lines)-mailLines)))
			break
		}
		_, _ = fmt.Fprintf(&b, "\n- %s, team %s\n  ends %s (in %s)\n  %s\n", title(e), e.TeamName,
			e.EndsAt.Std().In(zone).Format("2 Jan 2006, 15:04 MST"), left(e.EndsAt.Sub(now)), pageOf(baseURL, e))
	}
	b.WriteString("\nRegenerate a token on the page of its application: the old one goes on until it ends.\nAll that ends soon: " + baseURL + applicationsPath + "?ending=1\n")
	return b.String()
}

// title names what ends.
func title(e models.Ending) string {
	switch {
	case e.Kind == models.EndingSecret:
		return "Old client secret of " + e.ApplicationName + ", ending in " + e.Last4
	case e.Name != "":
		return "Token " + e.Name + " of " + e.ApplicationName + ", ending in " + e.Last4
	}
	return "Token of " + e.ApplicationName + ", ending in " + e.Last4
}

// left is a time in words, to the hour or the day.
func left(d time.Duration) string {
	switch {
	case d < time.Hour:
		return "less than an hour"
	case d.Round(time.Hour) < 48*time.Hour:
		return models.Count(int64(d.Round(time.Hour)/time.Hour), "hour")
	}
	return models.Count(int64(d.Round(24*time.Hour)/(24*time.Hour)), "day")
}

func zoneOf(person models.Recipient) *time.Location {
	zone, err := time.LoadLocation(person.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}
