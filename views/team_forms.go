package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// InviteForm is the page Invite Member.
type InviteForm struct {
	Lead              string
	Email, EmailError string
	Roles             []ui.Choice
	RoleError         string
	Hidden            []ui.Hidden
}

// NewInviteForm is the empty form, or with errs the form again as typed; once makes a
// second press do nothing. mailed tells that the link is sent as well.
func NewInviteForm(typed models.InvitationInput, errs models.FieldErrors, once string, mailed bool) InviteForm {
	role := models.Role(typed.Role)
	if typed.Role == "" {
		role = models.RoleDeveloper
	}
	form := InviteForm{
		Lead:  "You get a link to send them. It works once, for 7 days.",
		Email: typed.Email, EmailError: errs["email"],
		Roles: roleChoices(role), RoleError: errs["role"],
		Hidden: []ui.Hidden{{Name: "once", Value: once}},
	}
	if mailed {
		form.Lead = "A link is mailed to them, and you can copy it too. It works once, for 7 days."
	}
	return form
}

func roleChoices(chosen models.Role) []ui.Choice {
	choices := []ui.Choice{
		{Value: string(models.RoleOwner), Text: "Owner", Hint: "Can do everything, members included."},
		{Value: string(models.RoleDeveloper), Text: "Developer", Hint: "Manages applications and tokens."},
		{Value: string(models.RoleViewer), Text: "Viewer", Hint: "Sees everything except secrets and token values."},
	}
	for i := range choices {
		choices[i].Checked = choices[i].Value == string(chosen)
	}
	return choices
}

// RoleForm is the page Change role.
type RoleForm struct {
	Name   string
	You    bool
	Roles  []ui.Choice
	Error  string
	Action string
}

// NewRoleForm shows the role that the member has, or with errs the one that was chosen.
func NewRoleForm(member models.MemberRow, reader string, chosen models.Role, errs models.FieldErrors) RoleForm {
	return RoleForm{
		Name: member.Name, You: member.UserID == reader, Roles: roleChoices(chosen), Error: errs["role"], Action: ChangeRolePath(member.UserID),
	}
}

// ConfirmRemoveMember asks before a member is removed.
type ConfirmRemoveMember struct {
	Name, TeamName string
	// Knows says what they have seen or added that still works; empty for nothing.
	Knows  string
	Error  string
	Action string
}

// NewConfirmRemoveMember counts what the member knows.
func NewConfirmRemoveMember(member models.MemberRow, team string, seen models.SeenList, errs models.FieldErrors) ConfirmRemoveMember {
	page := ConfirmRemoveMember{Name: member.Name, TeamName: team, Error: errs["role"], Action: RemoveMemberPath(member.UserID)}
	if seen.Total > 0 {
		page.Knows = "They have seen or added " + models.FormatNumber(seen.Total) + " tokens, secrets and public keys that still work. The next page lists them, to be revoked, rotated or removed."
	}
	if seen.Total == 1 {
		page.Knows = "They have seen or added 1 token, secret or public key that still works. The next page lists it, to be revoked, rotated or removed."
	}
	return page
}

// ConfirmLeave asks before somebody leaves the team. Error is a sentence or empty.
type ConfirmLeave struct {
	TeamName string
	Error    string
}

// RenameForm is the page Rename team.
type RenameForm struct{ Name, Error string }

// ConfirmCancelInvitation asks before an invitation is cancelled.
type ConfirmCancelInvitation struct{ Email, Action string }

// NewConfirmCancelInvitation asks about one invitation.
func NewConfirmCancelInvitation(invitation models.Invitation) ConfirmCancelInvitation {
	return ConfirmCancelInvitation{Email: invitation.Email, Action: CancelInvitationPath(invitation.ID)}
}
