package warnings_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/warnings"
)

func endings() []models.Ending {
	made := models.At(time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC))
	hostile := "x, y; \\z\r\nBEGIN:VEVENT\nUID:evil 🦊" + strings.Repeat("🦊", 60)
	return []models.Ending{
		{Kind: models.EndingToken, ID: "t1", ApplicationID: "a1", ApplicationName: "Trading bot", Name: "Backfill", Last4: "Zk3Q", MadeByName: "Ana Ruiz", CreatedAt: made, EndsAt: made.Add(30 * 24 * time.Hour)},
		{Kind: models.EndingSecret, ID: "s1", ApplicationID: "a1", ApplicationName: strings.Repeat("W", 64), Last4: "k8Tz", CreatedAt: made, EndsAt: made.Add(time.Hour)},
		{Kind: models.EndingToken, ID: "t2", ApplicationID: "a2", ApplicationName: hostile, Name: hostile, Last4: "8tHw", MadeByName: hostile, CreatedAt: made, EndsAt: made.Add(time.Hour)},
	}
}

func TestCalendarIsRead(t *testing.T) {
	text := warnings.Calendar("North, wind; \\", baseURL, endings())
	feed, err := ics.ParseCalendar(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	events := feed.Events()
	if len(events) != 3 {
		t.Fatalf("%d events in\n%s", len(events), text)
	}
	first := events[0]
	start, err := first.GetStartAt()
	if err != nil || !start.Equal(endings()[0].EndsAt.Std()) {
		t.Errorf("starts %v %v", start, err)
	}
	for property, want := range map[ics.ComponentProperty]string{
		ics.ComponentPropertyUniqueId: "token-t1@latchkey", ics.ComponentPropertySummary: "Token Backfill of Trading bot, ending in Zk3Q ends",
		ics.ComponentPropertyDescription: "What still uses it is refused from then on. Made by Ana Ruiz.",
		ics.ComponentPropertyUrl:         baseURL + "/user/api_v2/applications/a1", ics.ComponentPropertyDtstamp: "20261101T090000Z", ics.ComponentPropertyTransp: "TRANSPARENT",
	} {
		if got := first.GetProperty(property); got == nil || got.Value != want {
			t.Errorf("%s is %+v, want %q", property, got, want)
		}
	}
	if got := events[2].GetProperty(ics.ComponentPropertySummary).Value; !strings.HasPrefix(got, "Token x, y; \\z  BEGIN:VEVENT UID:evil 🦊") {
		t.Errorf("a name with lines of its own becomes %q", got)
	}
	if again := warnings.Calendar("North, wind; \\", baseURL, endings()); again != text {
		t.Error("the same endings give other bytes")
	}
	if empty, err := ics.ParseCalendar(strings.NewReader(warnings.Calendar("x", baseURL, nil))); err != nil || len(empty.Events()) != 0 {
		t.Errorf("an empty feed: %v", err)
	}
}

// What RFC 5545 says of lines, seen without the library that wrote them.
func TestCalendarLines(t *testing.T) {
	text := warnings.Calendar("North, wind; \\", baseURL, endings())
	if strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasSuffix(text, "\r\n") || !utf8.ValidString(text) {
		t.Error("lines do not end with CRLF")
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
	}
	unfolded := strings.ReplaceAll(text, "\r\n ", "")
	for _, want := range []string{
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:", "\r\nX-WR-CALNAME:Latchkey: North\\, wind\\; \\\\\r\n", "\r\nDTSTART:20261201T090000Z\r\n",
		"\r\nSUMMARY:Old client secret of " + strings.Repeat("W", 64) + "\\, ending in k8Tz ends\r\n", "\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n",
	} {
		if !strings.Contains(unfolded, want) {
			t.Errorf("no %q in\n%s", want, unfolded)
		}
	}
	if n := strings.Count(unfolded, "\r\nBEGIN:VEVENT\r\n"); n != 3 {
		t.Errorf("%d events", n)
	}
}
