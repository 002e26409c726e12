package models_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
)

const year = 365 * 86400

func TestParseLifespan(t *testing.T) {
	const choose = "Choose between 1 minute and 1 year."
	for _, test := range []struct {
		text    string
		seconds int64
		problem string
	}{
		{"60", 60, ""},
		{" 60 ", 60, ""},
		{"\t3600\n", 3600, ""},
		{"31536000", year, ""},
		{"", 0, "Choose how long a token works."},
		{"  ", 0, "Choose how long a token works."},
		{"-1", 0, choose},
		{"0", 0, choose},
		{"59", 0, choose},
		{"31536001", 0, choose},
		{"1e9", 0, "Enter a whole number."},
		{"+60", 0, "Enter a whole number."},
		{"9999999999999999999", 0, choose},
		{"-9999999999999999999", 0, choose},
		{"9223372036854775807", 0, choose},
		{"text", 0, "Enter a whole number."},
		{"60s", 0, "Enter a whole number."},
		{"60.0", 0, "Enter a whole number."},
		{"0x3c", 0, "Enter a whole number."},
		{"6_0", 0, "Enter a whole number."},
		{"6 0", 0, "Enter a whole number."},
		{"٦٠", 0, "Enter a whole number."},
		{"60\x00", 0, "Enter a whole number."},
	} {
		seconds, problem := models.ParseLifespan(test.text, year) // T5
		if seconds != test.seconds || problem != test.problem {
			t.Errorf("%q: got %d, %q, want %d, %q", test.text, seconds, problem, test.seconds, test.problem)
		}
	}
}

func TestFormatLifespan(t *testing.T) {
	for seconds, want := range map[int64]string{
		0: "0 seconds", 1: "1 second", 59: "59 seconds", 60: "1 minute", 61: "1 minute 1 second", 3600: "1 hour",
		5 * 3600: "5 hours", 86400: "1 day", 36 * 3600: "1 day 12 hours", 7 * 86400: "7 days", 364 * 86400: "364 days",
		year: "1 year", 2*year + 86400: "2 years 1 day", 86400 + 3600 + 60 + 1: "1 day 1 hour 1 minute",
		year + 1: "1 year 1 second", 2000 * year: "2,000 years",
	} {
		if got := models.FormatLifespan(seconds); got != want {
			t.Errorf("%d: got %q, want %q", seconds, got, want)
		}
	}
}

func TestCountAndFormatNumber(t *testing.T) {
	for n, want := range map[int64]string{0: "0 tokens", 1: "1 token", 2: "2 tokens", 1000: "1,000 tokens"} {
		if got := models.Count(n, "token"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 62450: "62,450", 999_999: "999,999", 1_000_000: "1,000,000",
		-7: "-7", -999: "-999", -1000: "-1,000", -123_456: "-123,456", math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := models.FormatNumber(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzParseLifespan(f *testing.F) {
	for _, seed := range []string{"-1", "0", "59", "60", "1e9", "+60", " 60 ", "9999999999999999999", "text", "", "0060", "6_0"} {
		f.Add(seed, int64(year))
	}
	f.Fuzz(func(t *testing.T, text string, longest int64) {
		seconds, problem := models.ParseLifespan(text, longest)
		if problem != "" {
			if seconds != 0 {
				t.Fatalf("%q is refused and yet gives %d", text, seconds)
			}
			return
		}
		if seconds < models.MinLifespan || seconds > longest {
			t.Fatalf("%q was taken as %d, longest %d", text, seconds, longest)
		}
		digits := strings.TrimLeft(strings.TrimSpace(text), "0")
		if digits != strconv.FormatInt(seconds, 10) {
			t.Fatalf("%q was taken as %d", text, seconds)
		}
	})
}
