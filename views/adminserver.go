package views

import (
	"strconv"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// ServerFacts is what the page Server says; handlers gather it.
type ServerFacts struct {
	Installation models.Installation
	// InFile tells that the database is a file. File is the size of the database; of a file,
	// Free is what of it is free, Log the write-ahead log, in bytes.
	InFile                                                bool
	File, Free, Log                                       int64
	Users, Teams, Applications, ResourceServers, Sessions int64
	// Tokens has no entry where they could not be counted in time.
	Tokens []TokenKindCount
	// Mail is the mail server without user and password, empty where there is none.
	Mail, MailSecurity, MailFrom string
	MailUser                     bool
	// OwnEmail is where a test mail goes.
	OwnEmail string
}

// TokenKindCount counts tokens of one kind.
type TokenKindCount struct {
	Kind                     models.TokenKind
	Active, Expired, Revoked int64
}

// AdminServerView is the page Server.
type AdminServerView struct {
	Version          string
	Started          ui.Moment
	InFile           bool
	File, Free, Log  string
	Counts           []CountItem
	Tokens           []TokenCountItem
	TokensUncounted  bool
	Mail, From, User string
	Security         string
	OwnEmail         string
	Settings         []SettingItem
}

// CountItem is one figure.
type CountItem struct{ Name, Count string }

// TokenCountItem is a row of the figures of tokens.
type TokenCountItem struct{ Kind, Active, Expired, Revoked string }

// SettingItem is a row of the settings.
type SettingItem struct{ Name, Value, Default string }

var (
	tokenCountColumns = []ui.Column{{Text: "Kind"}, {Text: "Active"}, {Text: "Expired"}, {Text: "Revoked"}}
	settingColumns    = []ui.Column{{Text: "Setting"}, {Text: "Value"}, {Text: "Default"}}
)

// NewAdminServerView writes the facts out.
func NewAdminServerView(facts ServerFacts, now Clock) AdminServerView {
	view := AdminServerView{
		Version: facts.Installation.Version, Started: ago(facts.Installation.StartedAt, now),
		InFile: facts.InFile, File: formatBytes(facts.File), Free: formatBytes(facts.Free), Log: formatBytes(facts.Log),
		TokensUncounted: facts.Tokens == nil, Mail: facts.Mail, From: facts.MailFrom, Security: facts.MailSecurity, OwnEmail: facts.OwnEmail,
		User: "None",
		Counts: []CountItem{
			{"Users", models.FormatNumber(facts.Users)}, {"Teams", models.FormatNumber(facts.Teams)}, {"Applications", models.FormatNumber(facts.Applications)},
			{"Resource servers", models.FormatNumber(facts.ResourceServers)}, {"Open sessions", models.FormatNumber(facts.Sessions)},
		},
	}
	if facts.MailUser {
		view.User = "Set"
	}
	for _, count := range facts.Tokens {
		view.Tokens = append(view.Tokens, TokenCountItem{
			string(count.Kind), models.FormatNumber(count.Active), models.FormatNumber(count.Expired), models.FormatNumber(count.Revoked),
		})
	}
	for _, s := range facts.Installation.Settings {
		view.Settings = append(view.Settings, newSettingItem(s))
	}
	return view
}

func newSettingItem(s models.Setting) SettingItem {
	item := SettingItem{Name: s.Name, Value: s.Value, Default: s.Default}
	switch {
	case !s.Open && s.Set:
		item.Value = "Set"
	case !s.Set && s.Default == "":
		item.Value = "Not set"
	case !s.Set:
		item.Value = s.Default
	}
	return item
}

// formatBytes writes a size in the largest unit that leaves at least one whole.
func formatBytes(n int64) string {
	const kilo = 1024
	if n < kilo {
		return models.Count(n, "byte")
	}
	value, units := float64(n)/kilo, []string{"KiB", "MiB", "GiB", "TiB"}
	for value >= kilo && len(units) > 1 {
		value, units = value/kilo, units[1:]
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + units[0]
}
