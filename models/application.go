package models

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ApplicationType says who made an application and what may be done with it.
type ApplicationType string

// The types of application.
const (
	// TypeService is made by the team.
	TypeService ApplicationType = "service"
	// TypeBuiltIn is made by Latchkey and cannot be deleted.
	TypeBuiltIn ApplicationType = "built-in"
)

// Title is the type as pages write it.
func (t ApplicationType) Title() string {
	if t == TypeBuiltIn {
		return "Built-in"
	}
	return "Service"
}

// Application is an OAuth2 client of a team.
type Application struct {
	ID       string `gorm:"primaryKey"`
	TeamID   string
	Type     ApplicationType
	Name     string
	NameKey  string
	ClientID string
	// Lifespan is how long a new token lives, in seconds.
	Lifespan int64
	// Scopes is what its tokens may carry, separated by spaces.
	Scopes string
	// Version grows with every edit; a form that carries an older one is stale.
	Version int64
	// Epoch grows when all tokens are revoked: those of an earlier one are refused.
	Epoch           int64
	TokensRevokedAt Time
	TokensRevokedBy string
	CreatedAt       Time `gorm:"autoCreateTime:false"`
	CreatedBy       string
	ChangedAt       Time
	ChangedBy       string
	DisabledAt      Time
	DeletedAt       Time
	LastUsedAt      Time
	// TakenOverBy answers for the application instead of whoever made it; empty for nobody.
	TakenOverBy string
	// PointsPerDay caps what its calls may cost in a day (UTC); zero for no cap.
	PointsPerDay int64
}

// Expiry is when a token made now expires. lifespan, in seconds, shortens the
// application's own; zero means the application's.
func (a Application) Expiry(now Time, lifespan int64) Time {
	if lifespan <= 0 || lifespan > a.Lifespan {
		lifespan = a.Lifespan
	}
	return now.Add(time.Duration(lifespan) * time.Second)
}

// Enabled tells whether the application may get tokens and use them.
func (a Application) Enabled() bool { return a.DisabledAt.IsZero() && a.DeletedAt.IsZero() }

// Deletable tells whether a team may delete the application: what is built in stays.
func (a Application) Deletable() bool { return !a.BuiltIn() }

// ClientSecret is one secret of an application. An application has one current
// secret and, after a rotation with overlap, at most one old one.
type ClientSecret struct {
	ID            string `gorm:"primaryKey"`
	ApplicationID string
	TeamID        string
	Hash          []byte
	Sealed        []byte
	Last4         string
	CreatedAt     Time `gorm:"autoCreateTime:false"`
	CreatedBy     string
	// ExpiresAt is zero for the current secret.
	ExpiresAt  Time
	LastUsedAt Time
}

// Current tells whether this is the application's newest secret.
func (s ClientSecret) Current() bool { return s.ExpiresAt.IsZero() }

// Good tells whether the secret is accepted at now.
func (s ClientSecret) Good(now Time) bool { return s.Current() || now < s.ExpiresAt }

// MinLifespan is the shortest lifespan of a token, in seconds.
const MinLifespan int64 = 60

// Limits are the operator's bounds on what a team may set.
type Limits struct {
	// MaxLifespan is the longest lifespan of a token, in seconds.
	MaxLifespan int64
	// Scopes is what applications may have; the first is the default.
	Scopes []string
}

// ApplicationInput is what the form of an application holds, as typed.
type ApplicationInput struct {
	Name     string
	Lifespan string
	Scopes   []string
	// PointsPerDay is nil where the form has no such field.
	PointsPerDay *string
}

// ApplicationValues is a checked ApplicationInput.
type ApplicationValues struct {
	Name     string
	Lifespan int64
	Scopes   string
	// PointsPerDay is nil where the cap stays as it is, zero for none.
	PointsPerDay *int64
}

// Validate checks the input. Fields of the error: name, lifespan, scopes, points_per_day.
func (in ApplicationInput) Validate(limits Limits) (ApplicationValues, error) {
	errs := FieldErrors{}
	name, problem := CheckName(in.Name)
	if problem != "" {
		errs["name"] = problem
	}
	lifespan, problem := ParseLifespan(in.Lifespan, limits.MaxLifespan)
	if problem != "" {
		errs["lifespan"] = problem
	}
	scopes := limits.Scopes[:1]
	if len(in.Scopes) > 0 {
		scopes = chosen(limits.Scopes, in.Scopes)
	}
	if slices.ContainsFunc(in.Scopes, func(scope string) bool { return !slices.Contains(limits.Scopes, scope) }) {
		errs["scopes"] = "Choose from the scopes shown."
	}
	values := ApplicationValues{Name: name, Lifespan: lifespan, Scopes: strings.Join(scopes, " ")}
	if in.PointsPerDay != nil {
		points, problem := ParsePointsPerDay(*in.PointsPerDay)
		if problem != "" {
			errs["points_per_day"] = problem
		}
		values.PointsPerDay = &points
	}
	return values, errs.OrNil()
}

// MaxPointsPerDay is the highest cap of an application: more than any balance.
const MaxPointsPerDay int64 = 1_000_000_000_000

// ParsePointsPerDay reads a cap; empty is none. The second result is the sentence to show
// where the text is no such number.
func ParsePointsPerDay(text string) (int64, string) {
	text = strings.ReplaceAll(strings.TrimSpace(text), ",", "")
	if text == "" {
		return 0, ""
	}
	points, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax) || strings.HasPrefix(text, "+"):
		return 0, "Enter a whole number, or leave it empty for no limit."
	case err != nil || points > MaxPointsPerDay || points < 0:
		return 0, "Choose between 1 and " + FormatNumber(MaxPointsPerDay) + ", or leave it empty for no limit."
	case points == 0:
		return 0, "Enter at least 1, or leave it empty for no limit. To stop all calls, switch the application off."
	}
	return points, ""
}

// FormatPointsPerDay writes a cap in words.
func FormatPointsPerDay(points int64) string {
	if points == 0 {
		return "No limit"
	}
	return FormatNumber(points)
}

// chosen returns those of all that were picked, in the order of all.
func chosen(all, picked []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(scope string) bool { return !slices.Contains(picked, scope) })
}

// ParseLifespan reads whole seconds between MinLifespan and longest. The second
// result is the sentence to show where the text is not such a number.
func ParseLifespan(text string, longest int64) (int64, string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, "Choose how long a token works."
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrSyntax) || strings.HasPrefix(text, "+") {
		return 0, "Enter a whole number."
	}
	if err != nil || seconds < MinLifespan || seconds > longest {
		return 0, "Choose between " + FormatLifespan(MinLifespan) + " and " + FormatLifespan(longest) + "."
	}
	return seconds, ""
}

var lifespanUnits = []struct {
	seconds int64
	name    string
}{{365 * 86400, "year"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}}

// FormatLifespan writes seconds in words, with at most three units: "5 hours",
// "1 day 12 hours". 24 hours are a day and 365 days a year.
func FormatLifespan(seconds int64) string {
	var parts []string
	for _, unit := range lifespanUnits {
		n := seconds / unit.seconds
		if n == 0 {
			continue
		}
		seconds -= n * unit.seconds
		parts = append(parts, Count(n, unit.name))
		if len(parts) == 3 {
			break
		}
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}

// Count writes a number with its noun: "1 token", "3 tokens".
func Count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return FormatNumber(n) + " " + noun + "s"
}

// FormatNumber writes n with commas: 62,450.
func FormatNumber(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
