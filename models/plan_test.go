package models

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func goodPlan() PlanInput {
	return PlanInput{Name: " Pro ", Points: " 1000000000000 ", Period: PeriodDays, Days: "366", Rate: "600", Streams: "", Members: "200", Overage: true, Default: true}
}

func TestPlanInput(t *testing.T) {
	plan, err := goodPlan().Validate()
	want := Plan{Name: "Pro", NameKey: FoldName("Pro"), Points: MaxPoints, PeriodDays: 366, RateLimit: 600, Members: 200, Overage: true, IsDefault: true}
	if err != nil || plan != want {
		t.Errorf("%+v %v", plan, err)
	}
	if again, err := plan.Input().Validate(); err != nil || again != plan || !again.SameTerms(plan) {
		t.Errorf("%+v %v", again, err)
	}
	month, err := PlanInput{Name: "Free", Points: "0", Period: PeriodMonth, Days: "x"}.Validate()
	if err != nil || month.PeriodDays != 0 || month.PeriodText() != "calendar month" || plan.PeriodText() != "366 days" {
		t.Errorf("%+v %v", month, err)
	}
	for field, change := range map[string][]func(*PlanInput){
		"name":    {func(in *PlanInput) { in.Name = "" }, func(in *PlanInput) { in.Name = "\u202e" }, func(in *PlanInput) { in.Name = strings.Repeat("x", 65) }},
		"points":  bad(func(in *PlanInput) *string { return &in.Points }, "", "-1", "1000000000001", "1,000", "1e3", "+1", "٣"),
		"period":  bad(func(in *PlanInput) *string { return &in.Period }, "", "week"),
		"days":    bad(func(in *PlanInput) *string { return &in.Days }, "", "0", "367", "30d"),
		"rate":    bad(func(in *PlanInput) *string { return &in.Rate }, "-1", "1000000001", "9223372036854775808"),
		"streams": bad(func(in *PlanInput) *string { return &in.Streams }, "x", "1.5"),
		"members": bad(func(in *PlanInput) *string { return &in.Members }, "201", "-5"),
	} {
		for i, break1 := range change {
			in := goodPlan()
			break1(&in)
			_, err := in.Validate()
			if errs, ok := err.(FieldErrors); !ok || len(errs) != 1 || errs[field] == "" { //nolint:errorlint // it is not wrapped
				t.Errorf("%s %d: %v", field, i, err)
			}
		}
	}
}

func bad(field func(*PlanInput) *string, texts ...string) []func(*PlanInput) {
	changes := make([]func(*PlanInput), len(texts))
	for i, text := range texts {
		changes[i] = func(in *PlanInput) { *field(in) = text }
	}
	return changes
}

func TestPeriodEnds(t *testing.T) {
	at := func(text string) Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return At(moment)
	}
	for _, test := range []struct {
		days       int64
		start, end string
	}{
		{0, "2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"},
		{0, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{1, "2026-12-31T13:00:00Z", "2027-01-01T13:00:00Z"},
		{366, "2027-03-01T00:00:00Z", "2028-03-01T00:00:00Z"},
	} {
		if end := (Plan{PeriodDays: test.days}).PeriodEnd(at(test.start)); end != at(test.end) {
			t.Errorf("%+v: %s", test, end.Std())
		}
	}
}

func TestLastDay(t *testing.T) {
	now := At(time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC))
	for text, want := range map[string]string{"": "", " 2026-11-23 ": "2026-11-23", "2028-02-29": "2028-02-29", "9999-12-31": "9999-12-31"} {
		if end, problem := ParseLastDay(text, now); problem != "" || LastDay(end) != want || want != "" && end <= now {
			t.Errorf("%q: %s %q", text, LastDay(end), problem)
		}
	}
	for _, text := range []string{"2026-11-22", "0001-01-01", "2027-02-29", "31.12.2027", "2027-12-31T00:00:00Z", "tomorrow"} {
		if end, problem := ParseLastDay(text, now); problem == "" || end != 0 {
			t.Errorf("%q: %s", text, end.Std())
		}
	}
}

// D6: what is added or corrected is a number with bounds.
func TestPointsInput(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, " 1000000000000 ": MaxPoints, "0": 0, "-1": 0, "": 0, "1000000000001": 0, "9223372036854775808": 0} {
		got, err := PointsInput{Points: text, Reference: " r ", Note: " n "}.Purchase()
		if got.Points != want || (err == nil) != (want > 0) || got.Reference != "r" || got.Note != "n" {
			t.Errorf("purchase of %q: %+v %v", text, got, err)
		}
	}
	for text, want := range map[string]int64{"1": 1, "-1": -1, " -1000000000000": -MaxPoints, "0": 0, "-0": 0, "--1": 0, "- 1": -1, "": 0, "-": 0, "-9223372036854775808": 0} {
		got, err := PointsInput{Points: text, Note: "why"}.Correction()
		if got.Points != want || (err == nil) != (want != 0) {
			t.Errorf("correction of %q: %+v %v", text, got, err)
		}
	}
	long := strings.Repeat("é", 201)
	for _, in := range []PointsInput{{Points: "1", Reference: long}, {Points: "1", Note: long}, {Points: "1", Reference: "a\nb"}, {Points: "1", Reference: "\xff"}} {
		if _, err := in.Purchase(); err == nil {
			t.Errorf("%q is taken", in)
		}
	}
	if _, err := (PointsInput{Points: "1", Note: " "}).Correction(); err == nil {
		t.Error("a correction without a reason is taken")
	}
}

// What is taken is within bounds and comes back as it was written.
func FuzzCorrection(f *testing.F) {
	f.Add("-12", "why")
	f.Add("1000000000001", "")
	f.Fuzz(func(t *testing.T, points, note string) {
		got, err := PointsInput{Points: points, Note: note}.Correction()
		if err != nil {
			return
		}
		if got.Points == 0 || got.Points > MaxPoints || got.Points < -MaxPoints || got.Note == "" {
			t.Errorf("%q becomes %d", points, got.Points)
		}
		if again, err := (PointsInput{Points: strconv.FormatInt(got.Points, 10), Note: got.Note}).Correction(); err != nil || again != got {
			t.Errorf("%+v becomes %+v, %v", got, again, err)
		}
	})
}
