package layout

// The paths that the shell itself leads to. Package views has the others.
const (
	ApplicationsPath = "/user/api_v2/applications"
	TokensPath       = "/user/api_v2/access_tokens"
	ExplorerPath     = "/user/explorer"
	UsagePath        = "/user/usage"
	TeamPath         = "/user/team"
	AuditPath        = "/user/audit"
	ProfilePath      = "/user/profile"
	AdminPath        = "/admin"
	SwitchTeamPath   = "/user/switch"
	DocsPath         = "/docs/authorization"
	LoginPath        = "/login"
	LogoutPath       = "/logout"
	ThemePath        = "/theme"
)
