package api

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// Whatever is asked for is refused in a sentence, or a span that is bounded.
func FuzzUsageQuery(f *testing.F) {
	for _, query := range []string{"", "by=hour", "from=2026-11-01&to=2026-11-30", "from=2026-11-01T00:00:00%2B02:00", "from=9999-12-31&to=9999-12-31", "from=0000-01-01", "by=day&by=day", "to=1970-01-01T00:00:00-23:59"} {
		f.Add(query)
	}
	now := models.At(time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC))
	f.Fuzz(func(t *testing.T, text string) {
		params, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		query, err := parseUsageQuery(params, models.Standing{}, now)
		var refused *Error
		if err != nil {
			if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || refused.Description == "" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		length := int64(query.span.To - query.span.From)
		if query.span.From < 0 || length <= 0 || length > longestAsked.Milliseconds() || query.by == models.UsageByHour && length > longestHourly.Milliseconds() {
			t.Errorf("%q: %+v", text, query)
		}
	})
}
