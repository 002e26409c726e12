package handlers

import (
	"github.com/latchkey/latchkey/views"
)

// Parameters of the paths of operators.
const (
	paramTeam   = "team"
	paramUser   = "user"
	paramServer = "server"
)

// What the routes of operators ask for. What touches who gets in wants a fresh proof.
var (
	operate      = Access{Operator: true}
	operateFresh = Access{Operator: true, Fresh: true}
)

// resetPages let in whoever has a link; they end at the same gate as every way in.
func (h *Handlers) resetPages() []Route {
	return []Route{
		{get, views.ForgotPath, public, h.forgotPage},
		{post, views.ForgotPath, public, h.forgot},
		{get, views.ResetPath, public, h.resetPage},
		{post, views.ResetPath, public, h.reset},
	}
}

// adminPages are those of operators.
func (h *Handlers) adminPages() []Route {
	const (
		teams   = views.AdminTeamsPath
		team    = teams + "/:" + paramTeam
		users   = views.AdminUsersPath
		user    = users + "/:" + paramUser
		servers = views.AdminResourceServersPath
		server  = servers + "/:" + paramServer
	)
	endSessions := userDeed{h, views.NewConfirmEndSessions, "All sessions of ", " were ended.", h.Store.EndSessions, ""}
	removeFactors := userDeed{h, views.NewConfirmRemoveFactors, "The second factor of ", " was removed.", h.Store.RemoveFactors, "Your authenticator app, passkeys and recovery codes were removed by an operator, and your sessions were ended. Your password alone signs you in now."}
	disable := userDeed{h, views.NewConfirmDisable, "The account of ", " is disabled.", h.Store.DisableUser, ""}
	enable := userDeed{h, views.NewConfirmDisable, "The account of ", " is enabled.", h.Store.EnableUser, ""}
	return []Route{
		{get, views.AdminPath, operate, h.adminHome},

		{get, teams, operate, h.adminTeams},
		{get, views.AdminNewTeamPath, operateFresh, h.adminNewTeam},
		{post, views.AdminNewTeamPath, operateFresh, h.adminAddTeam},
		{get, team + "/suspend", operateFresh, h.suspendTeamPage},
		{post, team + "/suspend", operateFresh, h.suspendTeam},
		{post, team + "/resume", operateFresh, h.resumeTeam},

		{get, users, operate, h.adminUsers},
		{get, user, operate, h.adminUser},
		{get, user + views.UserLink, operateFresh, h.passwordLinkPage},
		{post, user + views.UserLink, operateFresh, h.passwordLink},
		{get, user + views.UserSessions, operateFresh, endSessions.ask},
		{post, user + views.UserSessions, operateFresh, endSessions.done},
		{get, user + views.UserFactors, operateFresh, removeFactors.ask},
		{post, user + views.UserFactors, operateFresh, removeFactors.done},
		{get, user + views.UserOperator, operateFresh, userDeed{Handlers: h, confirm: views.NewConfirmOperator}.ask},
		{post, user + views.UserOperator, operateFresh, h.setOperator},
		{get, user + views.UserDisable, operateFresh, disable.ask},
		{post, user + views.UserDisable, operateFresh, disable.done},
		{post, user + views.UserEnable, operateFresh, enable.done},

		{get, servers, operate, h.adminResourceServers},
		{get, views.AdminNewResourceServerPath, operateFresh, h.newResourceServer},
		{post, views.AdminNewResourceServerPath, operateFresh, h.addResourceServer},
		{get, server + "/rotate", operateFresh, h.rotateResourceServerPage},
		{post, server + "/rotate", operateFresh, h.rotateResourceServer},
		{get, server + "/remove", operateFresh, h.removeResourceServerPage},
		{post, server + "/remove", operateFresh, h.removeResourceServer},

		{get, views.AdminServerPath, operate, h.adminServer},
		{post, views.AdminTestMailPath, operate, h.testMail},
	}
}
