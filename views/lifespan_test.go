package views

import (
	"slices"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

func TestLifespanInputSeconds(t *testing.T) {
	for _, c := range []struct {
		in   LifespanInput
		want string
	}{
		{LifespanInput{}, ""},
		{LifespanInput{Choice: "18000", Custom: "7", Unit: "60"}, "18000"},
		{LifespanInput{Choice: "soon"}, "soon"},
		{LifespanInput{Choice: "custom"}, "custom"},
		{LifespanInput{Choice: "custom", Custom: "90", Unit: "60"}, "5400"},
		{LifespanInput{Choice: "custom", Custom: " 90 ", Unit: "60"}, "5400"},
		{LifespanInput{Choice: "custom", Custom: "1e9", Unit: "60"}, "1e9"},
		{LifespanInput{Choice: "custom", Custom: "1.5", Unit: "3600"}, "1.5"},
		{LifespanInput{Choice: "custom", Custom: "-5", Unit: "3600"}, "-1"},
		{LifespanInput{Choice: "custom", Custom: "5", Unit: "0"}, "-1"},
		{LifespanInput{Choice: "custom", Custom: "5", Unit: "-60"}, "-1"},
		{LifespanInput{Choice: "custom", Custom: "5", Unit: "week"}, "-1"},
		{LifespanInput{Choice: "custom", Custom: "9223372036854775807", Unit: "86400"}, "-1"},
		{LifespanInput{Choice: "custom", Custom: "99999999999999999999", Unit: "1"}, "99999999999999999999"},
	} {
		if got := c.in.Seconds(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.in, got, c.want)
		}
	}
}

// TestCustomNonsenseIsRefused takes what Seconds gives to the rule itself.
func TestCustomNonsenseIsRefused(t *testing.T) {
	for _, custom := range []string{"", "0", "-1", "1e9", "1.5", "9223372036854775807", "ten"} {
		in := ApplicationTyped{Name: "x", Lifespan: LifespanInput{Choice: "custom", Custom: custom, Unit: "86400"}}.Input()
		if _, err := in.Validate(limits); err == nil {
			t.Errorf("custom %q was taken", custom)
		}
	}
}

func TestLifespanOf(t *testing.T) {
	const year = 365 * 86400
	for _, c := range []struct {
		seconds, longest int64
		want             LifespanInput
	}{
		{18000, year, LifespanInput{Choice: "18000", Unit: "3600"}},
		{86400, year, LifespanInput{Choice: "86400", Unit: "3600"}},
		{86400, 7200, LifespanInput{Choice: "custom", Custom: "1", Unit: "86400"}},
		{7200, year, LifespanInput{Choice: "custom", Custom: "2", Unit: "3600"}},
		{90, year, LifespanInput{Choice: "custom", Custom: "90", Unit: "1"}},
		{60, year, LifespanInput{Choice: "custom", Custom: "1", Unit: "60"}},
	} {
		got := LifespanOf(c.seconds, c.longest)
		if got != c.want {
			t.Errorf("%d of at most %d: %+v, want %+v", c.seconds, c.longest, got, c.want)
		}
	}
}

func TestPresetsAreWithinTheLimit(t *testing.T) {
	for longest, want := range map[int64][]string{
		60:          {"Custom"},
		18000:       {"1 hour", "5 hours", "Custom"},
		365 * 86400: {"1 hour", "5 hours", "12 hours", "1 day", "7 days", "30 days", "90 days", "1 year", "Custom"},
	} {
		form := NewNewApplication(ApplicationTyped{}, models.Limits{MaxLifespan: longest, Scopes: []string{"api"}}, nil, "")
		if got := optionTexts(form.Lifespan.Presets); !slices.Equal(got, want) {
			t.Errorf("at most %d: %v, want %v", longest, got, want)
		}
	}
}

func TestNewApplicationStartsWithADefault(t *testing.T) {
	for longest, want := range map[int64]string{60: "custom", 3600: "3600", 365 * 86400: "18000"} {
		form := NewNewApplication(ApplicationTyped{}, models.Limits{MaxLifespan: longest, Scopes: []string{"api"}}, nil, "")
		if got := selected(form.Lifespan.Presets); got != want {
			t.Errorf("at most %d: %q, want %q", longest, got, want)
		}
	}
}

func TestTokenPresetsAreShorterThanTheApplications(t *testing.T) {
	form := NewGenerateTokenForm(models.Application{Lifespan: 18000}, TokenTyped{}, nil, "", "")
	want := []string{"As the application: 5 hours", "1 hour", "Custom"}
	if got := optionTexts(form.Lifespan.Presets); !slices.Equal(got, want) || selected(form.Lifespan.Presets) != "" {
		t.Errorf("%v with %q chosen, want %v", got, selected(form.Lifespan.Presets), want)
	}
}

func TestLifespanErrorStandsWhereItWasTyped(t *testing.T) {
	problem := models.FieldErrors{"lifespan": "No."}
	custom := NewNewApplication(ApplicationTyped{Lifespan: LifespanInput{Choice: "custom"}}, limits, problem, "").Lifespan
	preset := NewNewApplication(ApplicationTyped{Lifespan: LifespanInput{Choice: "3600"}}, limits, problem, "").Lifespan
	if custom.CustomError != "No." || custom.Error != "" || preset.Error != "No." || preset.CustomError != "" {
		t.Errorf("custom: %+v, preset: %+v", custom, preset)
	}
}

func optionTexts(options []ui.Option) []string {
	var texts []string
	for _, option := range options {
		texts = append(texts, option.Text)
	}
	return texts
}

func selected(options []ui.Option) string {
	for _, option := range options {
		if option.Selected {
			return option.Value
		}
	}
	return "nothing"
}
