package models

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// What operators may write for points and plans.
const (
	// MaxPoints is the most points of a period, a purchase or a correction.
	MaxPoints = 1_000_000_000_000
	// MaxBalance bounds a balance either way: sums of it do not overflow.
	MaxBalance = 1_000_000_000_000_000
	// MaxPeriodDays is the longest period.
	MaxPeriodDays = 366
	// MaxPlanLimit is the highest rate and the most streams that a plan names.
	MaxPlanLimit = 1_000_000_000
	// MaxReference is the longest reference of a purchase, in characters.
	MaxReference = 200
)

// The kinds of period that a form offers.
const (
	PeriodMonth = "month"
	PeriodDays  = "days"
)

// PlanInput is a plan as it was typed. Days counts where Period is PeriodDays.
type PlanInput struct {
	Name, Points, Period, Days, Rate, Streams, Members string
	Overage, Default                                   bool
}

// Validate checks the input. Fields of the error: name, points, period, days, rate,
// streams, members.
func (in PlanInput) Validate() (Plan, error) {
	errs := FieldErrors{}
	keep := func(field, problem string) {
		if problem != "" {
			errs[field] = problem
		}
	}
	var problem string
	plan := Plan{Overage: in.Overage, IsDefault: in.Default}
	plan.Name, problem = CheckName(in.Name)
	keep("name", problem)
	plan.NameKey = FoldName(plan.Name)
	plan.Points, problem = parseNumber(in.Points, 0, MaxPoints)
	keep("points", problem)
	switch in.Period {
	case PeriodMonth:
	case PeriodDays:
		plan.PeriodDays, problem = parseNumber(in.Days, 1, MaxPeriodDays)
		keep("days", problem)
	default:
		keep("period", "Choose a calendar month or a number of days.")
	}
	plan.RateLimit, problem = parseLimit(in.Rate, MaxPlanLimit)
	keep("rate", problem)
	plan.Streams, problem = parseLimit(in.Streams, MaxPlanLimit)
	keep("streams", problem)
	plan.Members, problem = parseLimit(in.Members, MaxMembers)
	keep("members", problem)
	return plan, errs.OrNil()
}

// Input is the plan as a form shows it.
func (p Plan) Input() PlanInput {
	limit := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	in := PlanInput{
		Name: p.Name, Points: strconv.FormatInt(p.Points, 10), Period: PeriodMonth, Days: limit(p.PeriodDays),
		Rate: limit(p.RateLimit), Streams: limit(p.Streams), Members: limit(p.Members), Overage: p.Overage, Default: p.IsDefault,
	}
	if p.PeriodDays > 0 {
		in.Period = PeriodDays
	}
	return in
}

// SameTerms tells whether two plans give the same under the same name.
func (p Plan) SameTerms(other Plan) bool { return p.Input() == other.Input() }

// PeriodText is the length of a period in words: "calendar month", "30 days".
func (p Plan) PeriodText() string {
	if p.PeriodDays == 0 {
		return "calendar month"
	}
	return Count(p.PeriodDays, "day")
}

// LimitText is a limit of a plan in words.
func LimitText(n int64) string {
	if n == 0 {
		return "No limit"
	}
	return FormatNumber(n)
}

// parseNumber reads a whole number of digits alone. The second result is the sentence to
// show where it is none.
func parseNumber(text string, least, most int64) (int64, string) {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strings.Trim(text, "0123456789") != "" || n < least || n > most {
		return 0, "Enter a whole number from " + FormatNumber(least) + " to " + FormatNumber(most) + ", in digits alone."
	}
	return n, ""
}

// parseLimit is parseNumber for a limit that may be left out.
func parseLimit(text string, most int64) (int64, string) {
	if strings.TrimSpace(text) == "" {
		return 0, ""
	}
	n, problem := parseNumber(text, 0, most)
	if problem != "" {
		problem = "Enter a whole number from 1 to " + FormatNumber(most) + " in digits alone, or leave it empty for no limit."
	}
	return n, problem
}

// ParseLastDay reads the last day of a plan (UTC) and returns the moment at which that
// day ends, zero for an empty text. The second result is the sentence to show where it is
// no day, or one that is over.
func ParseLastDay(text string, now Time) (end Time, problem string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, ""
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, "Enter a date such as 2027-12-31, or leave it empty."
	}
	end = At(day.AddDate(0, 0, 1))
	if end <= now {
		return 0, "Choose today or a later day, or leave it empty."
	}
	return end, ""
}

// LastDay is what ParseLastDay reads.
func LastDay(end Time) string {
	if end.IsZero() {
		return ""
	}
	return (end - 1).Std().Format(time.DateOnly)
}

// PointsInput is a purchase or a correction as it was typed.
type PointsInput struct{ Points, Reference, Note string }

// PointsChange is points for a team that do not come from its plan.
type PointsChange struct {
	TeamID string
	Points int64
	// Reference is the shop's event or whatever names the purchase, once in the installation.
	Reference string
	Note      string
}

// Purchase checks what adds points. Fields of the error: points, reference, note.
func (in PointsInput) Purchase() (PointsChange, error) {
	errs := FieldErrors{}
	var problems [3]string
	var change PointsChange
	change.Points, problems[0] = parseNumber(in.Points, 1, MaxPoints)
	change.Reference, problems[1] = CheckReference(in.Reference)
	change.Note, problems[2] = CheckReason(in.Note)
	for i, field := range []string{"points", "reference", "note"} {
		if problems[i] != "" {
			errs[field] = problems[i]
		}
	}
	return change, errs.OrNil()
}

// Correction checks what corrects a balance, either way, for a reason. Fields of the
// error: points, note.
func (in PointsInput) Correction() (PointsChange, error) {
	errs := FieldErrors{}
	digits, minus := strings.CutPrefix(strings.TrimSpace(in.Points), "-")
	n, problem := parseNumber(digits, 1, MaxPoints)
	if minus {
		n = -n
	}
	if problem != "" {
		errs["points"] = "Enter a whole number in digits alone, with - in front to take points away, up to " + FormatNumber(MaxPoints) + "."
	}
	reason, problem := CheckReason(in.Note)
	if reason == "" && problem == "" {
		problem = "Enter why the balance is corrected."
	}
	if problem != "" {
		errs["note"] = problem
	}
	return PointsChange{Points: n, Note: reason}, errs.OrNil()
}

// CheckReference trims and checks a reference, which may be empty. The second result is
// the sentence to show where it is not one.
func CheckReference(raw string) (reference, problem string) {
	reference = strings.TrimSpace(raw)
	switch {
	case !utf8.ValidString(reference):
		return "", "Use plain text: this holds bytes that are not characters."
	case strings.IndexFunc(reference, forbiddenInName) >= 0:
		return "", "Write one line, without control and text-direction characters."
	case utf8.RuneCountInString(reference) > MaxReference:
		return "", "Use at most 200 characters."
	}
	return reference, ""
}

// PlanRow is a plan as operators list them.
type PlanRow struct {
	Plan `gorm:"embedded"`
	// Teams counts those that have it.
	Teams int64
}

// LedgerList is one page of a team's ledger, newest first. Entries of use stand in it
// summed by UTC day, without an ID, at the time and with the balance of the day's last.
// Total counts every line.
type LedgerList struct {
	Rows  []LedgerEntry
	Total int64
}

// Receipt says what became of points that were added.
type Receipt struct {
	// Balance is the team's now.
	Balance int64
	// Duplicate tells that the same purchase was added before, at At; nothing was changed.
	Duplicate bool
	At        Time
}
