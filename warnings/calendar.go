package warnings

import (
	"strings"

	ics "github.com/arran4/golang-ical"

	"github.com/latchkey/latchkey/models"
)

// Calendar writes the feed of a team (RFC 5545): one event for each thing that ends.
// The same endings give the same bytes.
func Calendar(team, baseURL string, endings []models.Ending) string {
	feed := ics.NewCalendarFor("Latchkey")
	feed.SetProductId("-//Latchkey//What ends//EN")
	feed.SetCalscale("GREGORIAN")
	feed.SetXWRCalName("Latchkey: " + line(team))
	feed.SetRefreshInterval("PT1H")
	feed.SetXPublishedTTL("PT1H")
	for _, e := range endings {
		event := feed.AddEvent(string(e.Kind) + "-" + e.ID + "@latchkey")
		event.SetDtStampTime(e.CreatedAt.Std())
		event.SetStartAt(e.EndsAt.Std())
		event.SetSummary(line(title(e)) + " ends")
		event.SetDescription(description(e))
		event.SetURL(pageOf(baseURL, e))
		event.SetTimeTransparency(ics.TransparencyTransparent)
	}
	return feed.Serialize(ics.WithNewLine("\r\n"))
}

func description(e models.Ending) string {
	text := "What still uses it is refused from then on."
	if e.MadeByName != "" {
		text += " Made by " + line(e.MadeByName) + "."
	}
	return text
}

// line keeps what stands in a name on one line, whatever rules it was checked by.
func line(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, name)
}
