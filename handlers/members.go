package handlers

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

// memberOf finds the member that the path names, in the actor's team.
func (h *Handlers) memberOf(c echo.Context) (models.MemberRow, error) {
	return h.Store.Member(c.Request().Context(), actorOf(c).TeamID, c.Param(paramMember))
}

func (h *Handlers) changeRolePage(c echo.Context) error {
	member, err := h.memberOf(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.ChangeRole(h.plainPage(c), views.NewRoleForm(member, actorOf(c).UserID, member.Role, nil)))
}

func (h *Handlers) changeRole(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	actor := actorOf(c)
	member, err := h.memberOf(c)
	if err != nil {
		return err
	}
	role, problem := models.CheckRole(fields.Get("role"))
	err = models.FieldErrors{"role": problem}
	if problem == "" {
		_, err = h.Store.ChangeRole(c.Request().Context(), actor, member.UserID, role)
	}
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		page := views.NewRoleForm(member, actor.UserID, role, errs)
		return show(c, http.StatusUnprocessableEntity, views.ChangeRole(h.plainPage(c), page))
	}
	if member.Role != role {
		h.tell(models.User{Name: member.Name, Email: member.Email}, "Your role in "+actor.TeamName,
			"Your role in "+actor.TeamName+" is now "+role.Title()+". It was "+member.Role.Title()+". "+actor.UserName+" changed it.")
	}
	text := "The role of " + member.Name + " is now " + role.Title() + "."
	if member.UserID == actor.UserID {
		text = "Your role is now " + role.Title() + "."
	}
	return h.say(c, views.TeamPath, flash{Text: text})
}

func (h *Handlers) removeMemberPage(c echo.Context) error {
	return h.askToRemove(c, http.StatusOK, nil)
}

// askToRemove says what the member has seen. Oneself one does not remove: one leaves.
func (h *Handlers) askToRemove(c echo.Context, status int, errs models.FieldErrors) error {
	member, err := h.memberOf(c)
	if err != nil {
		return err
	}
	actor := actorOf(c)
	if member.UserID == actor.UserID {
		return c.Redirect(http.StatusSeeOther, views.LeaveTeamPath)
	}
	seen, err := h.Store.Seen(c.Request().Context(), actor.TeamID, member.UserID)
	if err != nil {
		return err
	}
	return show(c, status, views.RemoveMember(h.plainPage(c), views.NewConfirmRemoveMember(member, actor.TeamName, seen, errs)))
}

// removeMember leads on to what the member has seen, where there is anything.
func (h *Handlers) removeMember(c echo.Context) error {
	ctx, actor, id := c.Request().Context(), actorOf(c), c.Param(paramMember)
	if id == actor.UserID {
		return c.Redirect(http.StatusSeeOther, views.LeaveTeamPath)
	}
	member, err := h.Store.RemoveMember(ctx, actor, id)
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		return h.askToRemove(c, http.StatusUnprocessableEntity, errs)
	}
	next := views.TeamPath
	if seen, err := h.Store.Seen(ctx, actor.TeamID, id); err == nil && seen.Total > 0 {
		next = views.SeenPath(id)
	}
	return h.say(c, next, flash{Text: member.Name + " was removed."})
}

func (h *Handlers) seen(c echo.Context) error {
	return h.showSeen(c, http.StatusOK, views.SeenTyped{}, "")
}

func (h *Handlers) showSeen(c echo.Context, status int, typed views.SeenTyped, problem string) error {
	list, err := h.Store.Seen(c.Request().Context(), actorOf(c).TeamID, c.Param(paramMember))
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, status, views.Seen(page, views.NewSeenView(list, typed, problem, h.clock(c))))
}

// endSeen revokes the tokens, replaces the secrets and removes the keys that were chosen.
func (h *Handlers) endSeen(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	overlap, ok := parseOverlap(fields.Get("overlap"))
	tokens, keys, chosen := fields["token"], fields["key"], fields["secret"]
	typed := views.SeenTyped{Chosen: map[string]bool{}, Overlap: fields.Get("overlap")}
	for _, id := range slices.Concat(tokens, keys, chosen) {
		typed.Chosen[id] = true
	}
	switch {
	case !ok:
		return h.showSeen(c, http.StatusUnprocessableEntity, typed, "Choose one of the times shown for the old secrets.")
	case len(typed.Chosen) == 0:
		return h.showSeen(c, http.StatusUnprocessableEntity, typed, "Choose what to revoke, rotate or remove.")
	case len(typed.Chosen) > models.MaxSeen:
		return echo.ErrBadRequest
	}
	secrets := map[string]models.ClientSecret{}
	for _, id := range chosen {
		if secrets[id], err = h.newSecret(); err != nil {
			return err
		}
	}
	ctx, actor, person := c.Request().Context(), actorOf(c), c.Param(paramMember)
	ended, err := h.Store.EndSeen(ctx, actor, person, store.SeenEnding{Tokens: tokens, Keys: keys, Secrets: secrets, Overlap: overlap})
	if err != nil {
		return err
	}
	next := views.TeamPath
	if left, err := h.Store.Seen(ctx, actor.TeamID, person); err == nil && left.Total > 0 {
		next = views.SeenPath(person)
	}
	text := ended.String() + "."
	if ended == (store.SeenEnded{}) {
		text = "What you chose had ended already."
	}
	return h.say(c, next, flash{Text: text})
}
