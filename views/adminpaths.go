package views

import (
	"net/url"

	"github.com/latchkey/latchkey/views/layout"
)

// The pages of operators, and those for a forgotten password.
const (
	AdminPath                  = layout.AdminPath
	AdminTeamsPath             = AdminPath + "/teams"
	AdminNewTeamPath           = AdminTeamsPath + "/new"
	AdminUsersPath             = AdminPath + "/users"
	AdminResourceServersPath   = AdminPath + "/resource-servers"
	AdminNewResourceServerPath = AdminResourceServersPath + "/new"
	AdminServerPath            = AdminPath + "/server"
	AdminTestMailPath          = AdminServerPath + "/mail"
	ForgotPath                 = "/forgot"
	ResetPath                  = "/reset"
)

// ResetLinkPath is the page on which whoever has the code sets a password. The code stands
// in the query, which proxies are told not to log.
func ResetLinkPath(code string) string { return withCode(ResetPath, code) }

// SuspendTeamPath has everything of a team refused until ResumeTeamPath.
func SuspendTeamPath(id string) string { return AdminTeamsPath + "/" + url.PathEscape(id) + "/suspend" }

// ResumeTeamPath undoes SuspendTeamPath. There is no page behind it, only the form.
func ResumeTeamPath(id string) string { return AdminTeamsPath + "/" + url.PathEscape(id) + "/resume" }

// AdminUserPath is a user's page for operators. Its deeds stand below it.
func AdminUserPath(id string) string { return AdminUsersPath + "/" + url.PathEscape(id) }

// What operators do to a user: the last part of the path.
const (
	UserDisable  = "/disable"
	UserEnable   = "/enable"
	UserLink     = "/link"
	UserSessions = "/sessions"
	UserFactors  = "/factors"
	UserOperator = "/operator"
)

// RotateResourceServerPath gives it a new secret.
func RotateResourceServerPath(id string) string {
	return AdminResourceServersPath + "/" + url.PathEscape(id) + "/rotate"
}

// RemoveResourceServerPath ends it.
func RemoveResourceServerPath(id string) string {
	return AdminResourceServersPath + "/" + url.PathEscape(id) + "/remove"
}
