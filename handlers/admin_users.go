package handlers

import (
	"context"
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

// userDeed is what an operator does to a user: confirm is the page that asks before, or
// says why it was refused. Afterwards the user's name stands between before and after.
type userDeed struct {
	*Handlers
	confirm       func(user models.UserRow, problem string) views.AdminConfirm
	before, after string
	do            func(ctx context.Context, actor models.Actor, id string) error
	// told is what the user is mailed afterwards, empty for nothing.
	told string
}

func (d userDeed) ask(c echo.Context) error {
	user, err := d.userOf(c)
	if err != nil {
		return err
	}
	return d.adminAsk(c, d.confirm(user, ""))
}

func (d userDeed) done(c echo.Context) error {
	user, err := d.userOf(c)
	if err != nil {
		return err
	}
	problem, err := refusal(d.do(c.Request().Context(), actorOf(c), user.ID))
	if err != nil {
		return err
	}
	if problem != "" {
		return d.adminAsk(c, d.confirm(user, problem))
	}
	if d.told != "" {
		d.notify(models.User{Name: user.Name, Email: user.Email}, "Your account was changed by an operator", d.told)
	}
	return d.say(c, views.AdminUserPath(user.ID), flash{Text: d.before + user.Name + d.after})
}

// setOperator makes what the form said when it was opened: a second press does not turn
// it round.
func (h *Handlers) setOperator(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	deed := userDeed{h, views.NewConfirmOperator, "", " is no operator any more.", h.Store.UnmakeOperator, ""}
	if fields.Get("operator") == "yes" {
		deed.after, deed.do = " is an operator now.", h.Store.MakeOperator
	}
	return deed.done(c)
}
