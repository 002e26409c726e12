package handlers

// deedWords say what each Fresh route does, after "You asked to". Those below an
// application are followed by its name. The options of a new passkey are the browser's
// own request, which asks again by itself.
var deedWords = map[string]string{
	"/user/api_v2/applications/:id/delete":             "delete",
	"/user/api_v2/applications/:id/secret":             "change the client secret of",
	"/user/api_v2/applications/:id/secret/reveal":      "show the client secret of",
	"/user/api_v2/applications/:id/secret/remove":      "remove the client secret of",
	"/user/api_v2/applications/:id/keys":               "add a public key to",
	"/user/api_v2/applications/:id/tokens/:tid/reveal": "show a token of",

	"/user/api_v2/access_tokens/temporary/reveal": "show your temporary token",

	"/user/profile/sessions/:sid/end":                      "end one of your sessions",
	"/user/profile/sessions/end":                           "end all your other sessions",
	"/user/profile/second-factor/app":                      "set up an authenticator app",
	"/user/profile/second-factor/app/remove":               "remove your authenticator app",
	"/user/profile/second-factor/recovery-codes":           "make new recovery codes",
	"/user/profile/second-factor/passkeys":                 "add a passkey",
	"/user/profile/second-factor/passkeys/options":         "add a passkey",
	"/user/profile/second-factor/passkeys/:passkey/remove": "remove a passkey",
	"/user/profile/provider/link":                          "link your account",
	"/user/profile/provider/unlink":                        "unlink your account",
	"/login/provider/link":                                 "link your account",

	"/user/team/invitations":           "invite somebody",
	"/user/team/invitations/:iid/link": "show the link of an invitation",
	"/user/team/members/:mid/role":     "change the role of a member",
	"/user/team/members/:mid/remove":   "remove a member",
	"/user/team/seen/:mid":             "end what somebody has seen",
	"/user/team/second-factor":         "change whether the team needs a second factor",

	"/user/warnings/calendar":              "make a calendar address",
	"/user/warnings/webhook":               "set the webhook",
	"/user/warnings/webhook/remove":        "remove the webhook",
	"/user/warnings/webhook/secret":        "rotate the signing secret of the webhook",
	"/user/warnings/webhook/secret/reveal": "show the signing secret of the webhook",

	"/admin/teams/new":                       "make a team",
	"/admin/teams/:team/suspend":             "suspend a team",
	"/admin/teams/:team/resume":              "resume a team",
	"/admin/plans/new":                       "add a plan",
	"/admin/plans/:plan/edit":                "change a plan",
	"/admin/plans/:plan/retire":              "retire a plan",
	"/admin/teams/:team/plan":                "give a team a plan",
	"/admin/teams/:team/plan/end":            "take the plan of a team away",
	"/admin/teams/:team/points":              "add points to a team",
	"/admin/teams/:team/correction":          "correct the balance of a team",
	"/admin/users/:user/link":                "make a password link",
	"/admin/users/:user/sessions":            "end the sessions of a user",
	"/admin/users/:user/factors":             "remove the second factor of a user",
	"/admin/users/:user/operator":            "change who is an operator",
	"/admin/users/:user/disable":             "disable a user",
	"/admin/users/:user/enable":              "enable a user",
	"/admin/resource-servers/new":            "add a resource server",
	"/admin/resource-servers/:server/rotate": "rotate the secret of a resource server",
	"/admin/resource-servers/:server/remove": "remove a resource server",
}
