package models

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// AuditPageSize is how many events a page of the audit log shows.
	AuditPageSize = 50
	// CountedEvents is how far those that match a filter are counted.
	CountedEvents = 10_000
	// NoPerson stands in a filter for events without a person: of commands, of Latchkey
	// itself, of those who did not sign in.
	NoPerson = "none"
	// maxAuditText is the longest text to search for, in bytes.
	maxAuditText = 200
)

// AuditQuery chooses events of one team. Empty fields choose all.
type AuditQuery struct {
	// Action is the name of an action or the key of a group.
	Action      string
	Person      string
	Application string
	// From counts, To does not.
	From, To Time
	Text     string
	// Before and After choose what is older or newer than a place in the log.
	Before, After AuditPlace
}

// Filtered tells whether some events are left out, wherever the page stands.
func (q AuditQuery) Filtered() bool {
	q.Before, q.After = AuditPlace{}, AuditPlace{}
	return q != AuditQuery{}
}

// AuditPlace is a place in the order of the log: newest first, by time and number.
type AuditPlace struct {
	At  Time
	Seq int64
}

// Place is where the event stands.
func (e AuditEvent) Place() AuditPlace { return AuditPlace{At: e.At, Seq: e.Seq} }

// IsZero tells whether p is no place.
func (p AuditPlace) IsZero() bool { return p.Seq == 0 }

// String is the form in an address.
func (p AuditPlace) String() string { return number(int64(p.At)) + "-" + number(p.Seq) }

// ParseAuditPlace reads what String wrote. Anything else is no place.
func ParseAuditPlace(text string) AuditPlace {
	at, seq, _ := strings.Cut(text, "-")
	moment, err := strconv.ParseInt(at, 10, 64)
	n, bad := strconv.ParseInt(seq, 10, 64)
	if err != nil || bad != nil || moment < 0 || n < 1 {
		return AuditPlace{}
	}
	return AuditPlace{At: Time(moment), Seq: n}
}

// AuditInput is a filter as it was typed. From and To are days: 2026-11-23.
type AuditInput struct{ Action, Person, Application, From, To, Text string }

// Validate reads the days as those of zone. Its errors are FieldErrors.
func (in AuditInput) Validate(zone *time.Location) (AuditQuery, error) {
	if zone == nil {
		zone = time.UTC
	}
	query := AuditQuery{Action: in.Action, Person: in.Person, Application: in.Application, Text: strings.TrimSpace(in.Text)}
	errs := FieldErrors{}
	from, ok := parseDay(in.From, zone)
	if !ok {
		errs["from"] = dayWanted
	}
	to, ok := parseDay(in.To, zone)
	if !ok {
		errs["to"] = dayWanted
	}
	if len(errs) == 0 && !from.IsZero() && !to.IsZero() && to.Before(from) {
		errs["to"] = "Choose a day that is not before the first one."
	}
	if len(query.Text) > maxAuditText || !utf8.ValidString(query.Text) {
		errs["q"] = "Use at most " + strconv.Itoa(maxAuditText) + " characters of plain text."
	}
	if !from.IsZero() {
		query.From = At(from)
	}
	if !to.IsZero() {
		query.To = At(to.AddDate(0, 0, 1))
	}
	return query, errs.OrNil()
}

const dayWanted = "Enter a day such as 2026-11-23."

// parseDay gives the first moment of a day, and zero for an empty text.
func parseDay(text string, zone *time.Location) (day time.Time, ok bool) {
	if text == "" {
		return time.Time{}, true
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	return day, err == nil && day.Year() >= 1971 && day.Year() <= 9998
}

// AuditList is one page of the audit log, newest first.
type AuditList struct {
	Events []AuditEvent
	// Newer and Older tell whether there are more on that side.
	Newer, Older bool
	// Skipped counts the matching events before those shown, Total all of them; both
	// up to CountedEvents, and More tells that Total goes on. Without a filter they are exact.
	Skipped, Total int64
	More           bool
}

// AuditChoices is what a team's log can be filtered by.
type AuditChoices struct {
	// Actions are those that occur.
	Actions []AuditAction
	Persons []AuditPerson
	// Applications holds the deleted ones too.
	Applications []Application
	// MorePersons and MoreApplications tell that a list was cut.
	MorePersons, MoreApplications bool
}

// AuditPerson is who did something, by the last name in the log.
type AuditPerson struct{ ID, Name string }

// AuditGroup is a set of actions that a filter takes together.
type AuditGroup struct{ Key, Title string }

// AuditGroups lists them as pages do; the last one is for what fits nowhere.
var AuditGroups = []AuditGroup{
	{"applications", "Applications"}, {"tokens", "Tokens"}, {"secrets", "Secrets"}, {"members", "Members"}, {"sign-ins", "Sign-ins"}, {"other", "Other"},
}

// auditWords decide by the words of an action, the first that fits.
var auditWords = []struct {
	key   string
	words []string
}{
	{"sign-ins", []string{"sign", "identity", "password", "passkey", "factor", "authenticator", "recovery", "session", "provider"}},
	{"secrets", []string{"secret", "public key", "seen values"}},
	{"tokens", []string{"token"}},
	{"applications", []string{"application"}},
	{"members", []string{"member", "role", "invit", "user", "team", "profile", "email", "account", "operator"}},
}

// Group is the key of the group that the action belongs to.
func (a AuditAction) Group() string {
	name := strings.ToLower(string(a))
	for _, group := range auditWords {
		for _, word := range group.words {
			if strings.Contains(name, word) {
				return group.key
			}
		}
	}
	return "other"
}

// FormatKept writes how long something is kept: in days where it is whole ones.
func FormatKept(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return Count(int64(d/day), "day")
	}
	return FormatLifespan(int64(d.Seconds()))
}
