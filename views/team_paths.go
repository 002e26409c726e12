package views

import (
	"net/url"

	"github.com/latchkey/latchkey/views/layout"
)

// The pages of people and teams that do not belong to one of them.
const (
	TeamPath         = layout.TeamPath
	RenameTeamPath   = TeamPath + "/edit"
	LeaveTeamPath    = TeamPath + "/leave"
	InvitationsPath  = TeamPath + "/invitations"
	SwitchTeamPath   = layout.SwitchTeamPath
	InvitationPath   = "/invitations"
	SignUpPath       = "/signup"
	FinishSignUpPath = SignUpPath + "/finish"
)

// ShowInvitationPath answers the link of one invitation.
func ShowInvitationPath(id string) string { return invitationPath(id) + "/link" }

// CancelInvitationPath ends one invitation.
func CancelInvitationPath(id string) string { return invitationPath(id) + "/cancel" }

func invitationPath(id string) string { return InvitationsPath + "/" + url.PathEscape(id) }

// ChangeRolePath gives a member another role.
func ChangeRolePath(user string) string { return memberPath(user) + "/role" }

// RemoveMemberPath takes a member out of the team.
func RemoveMemberPath(user string) string { return memberPath(user) + "/remove" }

func memberPath(user string) string { return TeamPath + "/members/" + url.PathEscape(user) }

// SeenPath is what a person has seen and still works.
func SeenPath(user string) string { return TeamPath + "/seen/" + url.PathEscape(user) }

// OpenInvitationPath is where an invitation is accepted. The code stands in the query,
// which no log holds, and not in the path.
func OpenInvitationPath(code string) string { return withCode(InvitationPath, code) }

// OpenSignUpPath is where a sign-up that was mailed goes on.
func OpenSignUpPath(code string) string { return withCode(FinishSignUpPath, code) }

func withCode(path, code string) string { return withQuery(path, url.Values{"code": {code}}) }

// LoginTo is the sign-in page that leads on to a page.
func LoginTo(next string) string { return withQuery(LoginPath, url.Values{"next": {next}}) }
