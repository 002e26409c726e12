package views

// The pages of what ends and what should be looked at.
const (
	HygienePath             = ApplicationsPath + "/hygiene"
	WarningsPath            = "/user/warnings"
	MakeCalendarPath        = WarningsPath + "/calendar"
	RemoveCalendarPath      = MakeCalendarPath + "/remove"
	WebhookPath             = WarningsPath + "/webhook"
	TestWebhookPath         = WebhookPath + "/test"
	RemoveWebhookPath       = WebhookPath + "/remove"
	RotateWebhookSecretPath = WebhookPath + "/secret"
	RevealWebhookSecretPath = RotateWebhookSecretPath + "/reveal"
	// CalendarPath goes on with a feed's code and CalendarSuffix.
	CalendarPath   = "/calendar/"
	CalendarSuffix = ".ics"
)

// EndingPath is the list of applications of which something ends soon.
const EndingPath = ApplicationsPath + "?ending=1"

// KeepFindingPath keeps a finding of the hygiene list away for a while.
func KeepFindingPath(id string) string { return ApplicationPath(id) + "/keep" }

// TakeOverPath answers for an application from now on.
func TakeOverPath(id string) string { return ApplicationPath(id) + "/takeover" }

// RegenerateTokenPath makes a new token like an old one.
func RegenerateTokenPath(id, token string) string { return tokenPath(id, token) + "/regenerate" }
