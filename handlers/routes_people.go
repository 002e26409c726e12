package handlers

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

// Parameters of the paths below.
const (
	paramMember     = "mid"
	paramInvitation = "iid"
)

// peoplePages are the team, its members and invitations, and the ways into a team.
func (h *Handlers) peoplePages() []Route {
	const (
		member     = views.TeamPath + "/members/:" + paramMember
		invitation = views.InvitationsPath + "/:" + paramInvitation
		seen       = views.TeamPath + "/seen/:" + paramMember
	)
	own, ownFresh := Access{May: models.MayOwn}, Access{May: models.MayOwn, Fresh: true}
	return []Route{
		{get, views.TeamPath, view, h.team},
		{post, views.TeamPath, own, h.renameTeam},
		{get, views.RenameTeamPath, own, h.renameTeamPage},
		// For every member, also one whose membership has just ended.
		{get, views.LeaveTeamPath, signedIn, h.leaveTeamPage},
		{post, views.LeaveTeamPath, signedIn, h.leaveTeam},

		{get, views.InvitationsPath, ownFresh, h.invitePage},
		{post, views.InvitationsPath, ownFresh, h.invite},
		{post, invitation + "/link", ownFresh, h.showInvitation},
		// Not Fresh: a link that others have got hold of has to go at once.
		{get, invitation + "/cancel", own, h.cancelInvitationPage},
		{post, invitation + "/cancel", own, h.cancelInvitation},

		{get, member + "/role", ownFresh, h.changeRolePage},
		{post, member + "/role", ownFresh, h.changeRole},
		{get, member + "/remove", ownFresh, h.removeMemberPage},
		{post, member + "/remove", ownFresh, h.removeMember},
		{get, seen, own, h.seen},
		{post, seen, ownFresh, h.endSeen},

		{post, views.SwitchTeamPath, enrolling, h.switchTeam},
		{get, views.InvitationPath, public, h.invitationPage},
		{post, views.InvitationPath, public, h.acceptInvitation},
		{get, views.SignUpPath, public, h.signUpPage},
		{post, views.SignUpPath, public, h.signUp},
		{get, views.FinishSignUpPath, public, h.finishSignUpPage},
		{post, views.FinishSignUpPath, public, h.finishSignUp},
	}
}
