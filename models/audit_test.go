package models

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func sampleEvent() AuditEvent {
	e := AuditEvent{
		ID: "id", TeamID: "team", At: 5, ActorID: "user", ActorName: "Ana", ActorRole: RoleOwner, Action: AuditApplicationChanged, TargetType: "application",
		TargetID: "app", Target: "Bot", ApplicationID: "app", Detail: "detail", Changes: `[{"field":"Name","before":"Börse","after":"b"}]`,
		Address: "192.0.2.7", UserAgent: "curl", RequestID: "R",
	}
	e.Link(7, ChainStart)
	return e
}

// A4: the hash is over every field. One that is added later must be written into it.
func TestTheHashIsOverEveryField(t *testing.T) {
	event := sampleEvent()
	if !event.Follows(ChainStart) || event.Follows(event.Hash) || event.Seq != 7 || len(event.Hash) != 64 {
		t.Fatalf("%+v", event)
	}
	fields := reflect.ValueOf(&event).Elem()
	for i := range fields.NumField() {
		event = sampleEvent()
		switch field := fields.Field(i); field.Kind() {
		case reflect.Int64:
			field.SetInt(field.Int() + 1)
		case reflect.String:
			field.SetString(field.String() + "x")
		default:
			t.Fatalf("a field of kind %s", field.Kind())
		}
		if event.Follows(ChainStart) {
			t.Errorf("the hash says nothing of %s", fields.Type().Field(i).Name)
		}
	}
}

// The form of the hash stays as it is: chains that exist are checked by it.
func TestTheHashStaysAsItIs(t *testing.T) {
	if got, want := sampleEvent().Hash, "2df700284124fafeace4bd0eed716e7b8ac59cbf608953ad0eb5f48c43d1e748"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := sampleEvent().Search; got != FoldName("Application changed\nBot\nAna\ndetail\n192.0.2.7\nR\nName\nBörse\nb") {
		t.Errorf("search %q", got)
	}
}

// No two events are written alike, however their fields are filled.
func FuzzAuditHash(f *testing.F) {
	f.Add("a", "b", "", "1:a,", int64(1))
	f.Add("", "ab", "c,", ",", int64(-1))
	f.Fuzz(func(t *testing.T, one, two, three, more string, n int64) {
		first := AuditEvent{Target: one, TargetID: two, Detail: three, At: Time(n)}
		first.Link(1, ChainStart)
		for _, second := range []AuditEvent{
			{Target: one + more, TargetID: two, Detail: three, At: Time(n)}, {Target: one, TargetID: more + two, Detail: three, At: Time(n)},
			{Target: two, TargetID: one, Detail: three, At: Time(n)}, {Target: one, TargetID: two + three, At: Time(n)}, {Target: one, TargetID: two, Detail: three, At: Time(n) + 1},
		} {
			second.Link(1, ChainStart)
			same := second.Target == first.Target && second.TargetID == first.TargetID && second.Detail == first.Detail && second.At == first.At
			if (second.Hash == first.Hash) != same {
				t.Errorf("%+v and %+v", first, second)
			}
		}
		if !first.Follows(ChainStart) {
			t.Error("it does not follow where it was linked")
		}
	})
}

func FuzzAuditPlace(f *testing.F) {
	for _, text := range []string{"", "1-1", "1764000000000-214", "-1-1", "1--1", "1-0", "x-1", "99999999999999999999-1", "1-1-1", "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		place := ParseAuditPlace(text)
		if place.Seq < 0 || place.At < 0 || place.IsZero() && place.At != 0 {
			t.Errorf("%q gives %+v", text, place)
		}
		if !place.IsZero() && ParseAuditPlace(place.String()) != place {
			t.Errorf("%q is not read back: %+v", text, place)
		}
		if head, ok := ParseAuditHead(text); ok {
			if again, ok := ParseAuditHead(head.String()); !ok || again != head || head.Seq < 1 {
				t.Errorf("%q is not read back: %+v", text, head)
			}
		}
	})
}

// D6: whatever is typed gives a range that makes sense, or an error beside a field.
func FuzzAuditInput(f *testing.F) {
	f.Add("2026-11-23", "2026-11-24", "bot", "Europe/Madrid")
	f.Add("2026-03-29", "2026-03-29", "%_\\", "Africa/Cairo")
	f.Add("0001-01-01", "9999-12-31", "\xff", "UTC")
	f.Add("", "2026-02-30", strings.Repeat("x", 201), "Pacific/Apia")
	f.Fuzz(func(t *testing.T, from, to, text, name string) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			zone = nil
		}
		query, err := AuditInput{From: from, To: to, Text: text}.Validate(zone)
		if err != nil {
			if _, ok := err.(FieldErrors); !ok { //nolint:errorlint // it is not wrapped
				t.Error(err)
			}
			return
		}
		if from == "" != (query.From == 0) || to == "" != (query.To == 0) || !utf8.ValidString(query.Text) || len(query.Text) > 200 {
			t.Errorf("%q to %q, %q: %+v", from, to, text, query)
		}
		if query.From != 0 && query.To != 0 && query.To < query.From { // a zone may have left a day out
			t.Errorf("%q to %q in %s is %d to %d", from, to, name, query.From, query.To)
		}
	})
}

func TestAuditGroups(t *testing.T) {
	for action, want := range map[AuditAction]string{
		AuditSignedIn: "sign-ins", AuditSignInFailed: "sign-ins", AuditPasswordChanged: "sign-ins", AuditIdentityConfirmed: "sign-ins", AuditConfirmFailed: "sign-ins",
		"Passkey added": "sign-ins", "Second factor switched on": "sign-ins", "Sessions ended": "sign-ins",
		AuditSecretRotated: "secrets", AuditSecretRetired: "secrets", AuditKeyAdded: "secrets", AuditTokenShown: "tokens", AuditTokensRevoked: "tokens",
		AuditApplicationDisabled: "applications", AuditUserAdded: "members", "Member invited": "members", "Role changed": "members", "Team suspended": "members",
		AuditSetup: "other", AuditRefused: "other", AuditEntriesDeleted: "other", AuditResourceServerAdded: "other", "": "other",
	} {
		if got := action.Group(); got != want {
			t.Errorf("%q is in %q, want %q", action, got, want)
		}
	}
}

func TestFormatKept(t *testing.T) {
	for d, want := range map[time.Duration]string{8760 * time.Hour: "365 days", 24 * time.Hour: "1 day", 36 * time.Hour: "1 day 12 hours", 48_000 * time.Hour: "2,000 days", time.Hour: "1 hour"} {
		if got := FormatKept(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

// What is not written as it should be is shown as no change, and is no beginning of a chain.
func TestOddChanges(t *testing.T) {
	for _, changes := range []string{"", "null", "{}", "[", `[1]`, `[{"field":1}]`} {
		e := AuditEvent{Action: AuditEntriesDeleted, Changes: changes}
		if _, _, ok := e.Beginning(); ok || len(e.Changed()) > 0 {
			t.Errorf("%q: %v", changes, e.Changed())
		}
	}
	e := AuditEvent{Action: AuditEntriesDeleted, Changes: `[{"field":"First entry kept","before":"1","after":"6"},{"field":"Hash of the entry before it","before":"","after":"abc"}]`}
	if first, before, ok := e.Beginning(); !ok || first != 6 || before != "abc" {
		t.Errorf("%d %q %v", first, before, ok)
	}
	e.Action = AuditApplicationChanged
	if _, _, ok := e.Beginning(); ok {
		t.Error("any event moves the beginning")
	}
}
