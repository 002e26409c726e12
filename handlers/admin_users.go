package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) adminUsers(c echo.Context) error {
	query := listQuery(c)
	list, err := h.Store.Users(c.Request().Context(), query)
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.AdminUsers(page, views.NewAdminUsersList(list, query, h.clock(c))))
}

// userOf finds the user that the path names.
func (h *Handlers) userOf(c echo.Context) (models.UserRow, error) {
	return h.Store.UserDetail(c.Request().Context(), c.Param(paramUser))
}

func (h *Handlers) adminUser(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.AdminUser(page, views.NewAdminUserView(user, actorOf(c).UserID, h.clock(c))))
}

func (h *Handlers) passwordLinkPage(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.PasswordLink(h.plainPage(c), views.NewPasswordLinkForm(user, h.Mail.Enabled())))
}

func (h *Handlers) passwordLink(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	return h.giveLink(c, user, views.AdminUserPath(user.ID))
}

// giveLink makes a link with which the user sets a password: mailed where that was
// asked for and can be, else shown in the answer to be handed over.
func (h *Handlers) giveLink(c echo.Context, user models.UserRow, back string) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	mailed, code := h.Mail.Enabled() && fields.Get("send") == "mail", secrets.Code()
	if err := h.Store.MakeResetLink(c.Request().Context(), actorOf(c), user.ID, secrets.Hash(code), user.LinkLives(), mailed); err != nil {
		return err
	}
	if !mailed {
		return h.adminShow(c, views.NewPasswordLinkShown(user, h.resetLink(code), back))
	}
	h.mailResetLink(user.Name, user.Email, code, user.LinkLives())
	return h.say(c, back, flash{Text: "A link to set a password is on its way to " + user.Email + "."})
}

func (h *Handlers) endSessionsPage(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	return h.adminAsk(c, views.NewConfirmEndSessions(user))
}

func (h *Handlers) endSessions(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	if err := h.Store.EndSessions(c.Request().Context(), actorOf(c), user.ID); err != nil {
		return err
	}
	return h.say(c, views.AdminUserPath(user.ID), flash{Text: "All sessions of " + user.Name + " were ended."})
}

func (h *Handlers) removeFactorsPage(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	return h.adminAsk(c, views.NewConfirmRemoveFactors(user, ""))
}

func (h *Handlers) removeFactors(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	problem, err := refusal(h.Store.RemoveFactors(c.Request().Context(), actorOf(c), user.ID))
	if err != nil {
		return err
	}
	if problem != "" {
		return h.adminAsk(c, views.NewConfirmRemoveFactors(user, problem))
	}
	return h.say(c, views.AdminUserPath(user.ID), flash{Text: "The second factor of " + user.Name + " was removed."})
}

func (h *Handlers) operatorPage(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	return h.adminAsk(c, views.NewConfirmOperator(user, ""))
}

func (h *Handlers) setOperator(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	operator := fields.Get("operator") == "yes"
	problem, err := refusal(h.Store.SetOperator(c.Request().Context(), actorOf(c), user.ID, operator))
	if err != nil {
		return err
	}
	if problem != "" {
		return h.adminAsk(c, views.NewConfirmOperator(user, problem))
	}
	text := user.Name + " is an operator now."
	if !operator {
		text = user.Name + " is no operator any more."
	}
	return h.say(c, views.AdminUserPath(user.ID), flash{Text: text})
}

func (h *Handlers) disablePage(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	return h.adminAsk(c, views.NewConfirmDisable(user, ""))
}

func (h *Handlers) disableUser(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	problem, err := refusal(h.Store.DisableUser(c.Request().Context(), actorOf(c), user.ID))
	if err != nil {
		return err
	}
	if problem != "" {
		return h.adminAsk(c, views.NewConfirmDisable(user, problem))
	}
	return h.say(c, views.AdminUserPath(user.ID), flash{Text: "The account of " + user.Name + " is disabled."})
}

func (h *Handlers) enableUser(c echo.Context) error {
	user, err := h.userOf(c)
	if err != nil {
		return err
	}
	if err := h.Store.EnableUser(c.Request().Context(), actorOf(c), user.ID); err != nil {
		return err
	}
	return h.say(c, views.AdminUserPath(user.ID), flash{Text: "The account of " + user.Name + " is enabled."})
}
