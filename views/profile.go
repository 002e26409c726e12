package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// ProfileForm names one of the forms of the page Profile.
type ProfileForm string

// The forms of the page Profile.
const (
	FormName     ProfileForm = "name"
	FormEmail    ProfileForm = "email"
	FormPassword ProfileForm = "password"
	FormTimeZone ProfileForm = "time_zone"
)

// Fields of the password form, whose names the others have too.
const (
	FieldCurrent     = "current"
	FieldNewPassword = "new_password"
)

// ProfileTyped is one form of the page as typed, with what is wrong with it; no password
// is typed again.
type ProfileTyped struct {
	Form  ProfileForm
	Value string
	Errs  models.FieldErrors
}

// Profile is the page of a person's own account.
type Profile struct {
	Email string
	// Failed tells of tries of others since the last visit, empty without any.
	Failed   string
	FailedAt ui.Moment

	Name, NameError string

	NewEmail, EmailError, EmailPasswordError string
	// ByMail tells that a new address counts once a link sent there was opened.
	ByMail bool

	HasPassword bool
	// MayProve is where somebody without a password goes before they set one; empty where
	// they have just proved who they are.
	MayProve                    string
	CurrentError, PasswordError string
	Zones                       ui.Dropdown
	Sessions                    []SessionItem
	// EndOthers tells that there are other sessions to end.
	EndOthers bool
	Events    []AccountEvent
	Zone      string

	SecondFactor SecondFactorLink
	// Provider is nil where people sign in by no provider.
	Provider *ProviderCard
}

// ProfileFacts are what the page is made of.
type ProfileFacts struct {
	User     models.User
	Sessions []models.Session
	// Ref is this session's.
	Ref    string
	Events []models.AuditEvent
	// Failures are tries that the reader was not shown yet, the last at FailedAt.
	Failures int64
	FailedAt models.Time
	ByMail   bool
	// Provider is nil where people sign in by no provider.
	Provider *ProviderCard
	// Fresh tells that the reader has just proved who they are.
	Fresh bool
}

// NewProfile shows an account, with one of its forms as typed.
func NewProfile(facts ProfileFacts, typed ProfileTyped, now Clock) Profile {
	user, errs := facts.User, typed.Errs
	page := Profile{
		Email: user.Email,
		Name:  user.Name, NameError: errs["name"],
		NewEmail: user.Email, EmailError: errs["email"], EmailPasswordError: errs["password"], ByMail: facts.ByMail,
		HasPassword: user.PasswordHash != "", CurrentError: errs[FieldCurrent], PasswordError: errs[FieldNewPassword],
		Sessions: newSessionItems(facts, now), EndOthers: len(facts.Sessions) > 1,
		Events: newAccountEvents(facts.Events, user.ID, now), Zone: now.zoneName(),
		SecondFactor: SecondFactorLink{On: user.SecondFactor}, Provider: facts.Provider,
	}
	zone := user.TimeZone
	switch typed.Form {
	case FormName:
		page.Name = typed.Value
	case FormEmail:
		page.NewEmail = typed.Value
	case FormTimeZone:
		zone = typed.Value
	}
	page.Zones = newZones(zone, errs["time_zone"])
	if !page.HasPassword && !facts.Fresh {
		page.MayProve = ConfirmPath + "?next=" + ProfilePath
	}
	if facts.Failures > 0 {
		page.Failed = "Since you last opened this page, signing in to your account or confirming it failed " + models.Count(facts.Failures, "time") + ", the last time "
		page.FailedAt = ago(facts.FailedAt, now).Within()
	}
	return page
}

func newZones(chosen, problem string) ui.Dropdown {
	zones := ui.Dropdown{
		ID: "p-zone", Name: "time_zone", Label: "Time zone", Error: problem,
		Hint: "All times on these pages are in it.", Options: []ui.Option{{Value: "UTC", Text: "UTC"}},
	}
	for _, name := range models.TimeZones() {
		zones.Options = append(zones.Options, ui.Option{Value: name, Text: ZoneName(name), Selected: name == chosen})
	}
	return zones
}

// SessionItem is a row of the sessions.
type SessionItem struct {
	Browser string
	// Here marks the session of the reader.
	Here     bool
	Since    ui.Moment
	Method   string
	LastSeen ui.Moment
	Address  string
	// EndAction is empty for the reader's own: that one is signed out.
	EndAction string
}

func newSessionItems(facts ProfileFacts, now Clock) []SessionItem {
	var items []SessionItem
	for _, session := range facts.Sessions {
		item := SessionItem{
			Browser: models.BrowserName(session.Browser), Here: session.Ref == facts.Ref, Address: session.Address,
			Since: ago(session.CreatedAt, now), Method: session.Method.Words(), LastSeen: ago(session.LastSeenAt, now),
		}
		if !item.Here {
			item.EndAction = EndSessionPath(session.Ref)
		}
		items = append(items, item)
	}
	return items
}

// AccountEvent is a row of the recent security events.
type AccountEvent struct {
	What   string
	Detail string
	// By is who else did it, empty for the reader and for strangers.
	By      string
	At      ui.Moment
	Browser string
	Address string
}

func newAccountEvents(events []models.AuditEvent, userID string, now Clock) []AccountEvent {
	var rows []AccountEvent
	for _, event := range events {
		row := AccountEvent{What: string(event.Action), Detail: event.Detail, At: ago(event.At, now), Address: event.Address}
		if event.UserAgent != "" {
			row.Browser = models.BrowserName(event.UserAgent)
		}
		if event.ActorID != userID && event.Action != models.AuditSignInFailed {
			row.By = event.ActorName
		}
		rows = append(rows, row)
	}
	return rows
}

// ConfirmEmail asks before a new email takes effect.
type ConfirmEmail struct {
	Old, New string
	Hidden   []ui.Hidden
}

// NewConfirmEmail carries the code of the link on.
func NewConfirmEmail(old, email string, code models.Secret) ConfirmEmail {
	return ConfirmEmail{Old: old, New: email, Hidden: []ui.Hidden{{Name: "code", Value: code.Reveal()}}}
}
