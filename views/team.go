package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
	"github.com/latchkey/latchkey/views/ui"
)

// TeamState is what the Team page shows beside what is stored.
type TeamState struct {
	Actor models.Actor
	// Created is the ID of the invitation that was just made, empty for none; Mailed
	// tells that its link was also sent.
	Created string
	Mailed  bool
	// Shown is the invitation whose link this answer may hold.
	Shown  ShownLink
	Policy models.SecondFactorPolicy
}

// ShownLink is the link of an invitation that was asked for.
type ShownLink struct {
	ID   string
	Link models.Secret
}

// TeamView is the page Team. Addresses are empty where the role may not.
type TeamView struct {
	Name                   string
	InviteHref, RenameHref string
	Members                []MemberItem
	// Owns tells that the reader sees invitations and who has left.
	Owns        bool
	Invitations []InvitationItem
	Created     *InvitationItem
	CreatedText string
	Former      []FormerItem
	Shown       ShownLink
	Roles       []RoleLine
	Policy      SecondFactorPolicyCard
	Zone        string
}

// MemberItem is a row of the members.
type MemberItem struct {
	Name, Email, Initials         string
	You                           bool
	Role                          string
	SecondFactor                  string
	LastSeen                      ui.Moment
	Joined                        ui.Moment
	RoleHref, RemoveHref, LeaveTo string
}

// InvitationItem is a row of the pending invitations.
type InvitationItem struct {
	ID         string
	Email      string
	Role       string
	Invited    ui.Moment
	InvitedBy  string
	Expires    ui.Moment
	Mask       string
	ShowAction string
	CancelHref string
}

// FormerItem is somebody who has left and knows values that still work.
type FormerItem struct {
	Name, Email string
	Knows       string
	Href        string
}

// RoleLine is one row of "What each role can do".
type RoleLine struct {
	Text                     string
	Owner, Developer, Viewer bool
}

var roleLines = []struct {
	text string
	may  models.Permission
}{
	{"See applications, members and the audit log", models.MayView},
	{"Create, change and delete applications", models.MayManage},
	{"Show, copy and generate tokens", models.MayReveal},
	{"Rotate client secrets", models.MayManage},
	{"Invite, change and remove members", models.MayOwn},
	{"Require a second factor, set up the webhook, rename the team", models.MayOwn},
}

// linkMask stands for a link that is not in the page.
const linkMask = "••••••••••••"

// NewTeamView decides what the reader sees and may do.
func NewTeamView(members []models.MemberRow, invitations []models.InvitationRow, former []models.FormerMember, state TeamState, now Clock) TeamView {
	view := TeamView{Name: state.Actor.TeamName, Owns: state.Actor.Role.May(models.MayOwn), Shown: state.Shown, Zone: now.zoneName()}
	view.Policy = NewSecondFactorPolicyCard(state.Policy, state.Actor.Role)
	for _, line := range roleLines {
		view.Roles = append(view.Roles, RoleLine{
			Text: line.text, Owner: models.RoleOwner.May(line.may), Developer: models.RoleDeveloper.May(line.may), Viewer: models.RoleViewer.May(line.may),
		})
	}
	for _, member := range members {
		view.Members = append(view.Members, newMemberItem(member, state.Actor.UserID, view.Owns, now))
	}
	if !view.Owns {
		return view
	}
	view.InviteHref, view.RenameHref = InvitationsPath, RenameTeamPath
	for _, invitation := range invitations {
		item := InvitationItem{
			ID: invitation.ID, Email: invitation.Email, Role: invitation.Role.Title(), Invited: ago(invitation.CreatedAt, now),
			InvitedBy: invitation.CreatedByName, Expires: until(invitation.ExpiresAt, now), Mask: linkMask,
			ShowAction: ShowInvitationPath(invitation.ID), CancelHref: CancelInvitationPath(invitation.ID),
		}
		view.Invitations = append(view.Invitations, item)
		if item.ID == state.Created {
			view.Created = &item
			view.CreatedText = "Copy the link and send it to them. It works once, for 7 days. You can copy it again from the list below."
			if state.Mailed {
				view.CreatedText = "The link was mailed to them. It works once, for 7 days. You can also copy it here and from the list below."
			}
		}
	}
	for _, person := range former {
		view.Former = append(view.Former, FormerItem{Name: person.Name, Email: person.Email, Knows: models.Count(person.Known, "value"), Href: SeenPath(person.UserID)})
	}
	return view
}

func newMemberItem(member models.MemberRow, reader string, owns bool, now Clock) MemberItem {
	item := MemberItem{
		Name: member.Name, Email: member.Email, Initials: layout.User{Name: member.Name}.Initials(), You: member.UserID == reader,
		Role: member.Role.Title(), SecondFactor: "Off", LastSeen: ago(member.LastSeenAt, now), Joined: day(member.CreatedAt, now),
	}
	if member.SecondFactor {
		item.SecondFactor = "On"
	}
	if owns {
		item.RoleHref = ChangeRolePath(member.UserID)
	}
	switch {
	case item.You:
		item.LastSeen, item.LeaveTo = ui.Moment{Text: "Now"}, LeaveTeamPath
	case owns:
		item.RemoveHref = RemoveMemberPath(member.UserID)
	}
	return item
}
