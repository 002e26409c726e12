package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

// needsSetup tells whether no account exists yet.
func (h *Handlers) needsSetup(c echo.Context) (bool, error) {
	if h.setUp.Load() {
		return false, nil
	}
	exists, err := h.Store.AnyUser(c.Request().Context())
	if exists {
		h.setUp.Store(true)
	}
	return !exists, err
}

func (h *Handlers) setupPage(c echo.Context) error {
	needed, err := h.needsSetup(c)
	if err != nil {
		return err
	}
	if !needed {
		return models.ErrNotFound
	}
	code := c.QueryParam("code")
	right, err := h.setupCodeIs(c, code)
	if err != nil {
		return err
	}
	if !right {
		return showWithCode(c, http.StatusForbidden, views.SetupNeedsCode(h.plainPage(c), views.SetupClosed{Wrong: code != ""}))
	}
	return showWithCode(c, http.StatusOK, views.Setup(h.plainPage(c), views.NewSetupForm(code, models.AccountInput{}, nil)))
}

// setupCodeIs tells whether a code is one that a node has printed. It is found by its
// SHA-256.
func (h *Handlers) setupCodeIs(c echo.Context, code string) (bool, error) {
	_, err := h.Store.Ceremony(c.Request().Context(), secrets.Hash(models.NewSecret(code)), models.CeremonySetup)
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// setup makes the first account and signs it in.
func (h *Handlers) setup(c echo.Context) error {
	needed, err := h.needsSetup(c)
	if err != nil {
		return err
	}
	if !needed {
		return models.ErrNotFound
	}
	fields, err := form(c)
	if err != nil {
		return err
	}
	code := fields.Get("code")
	if code == "" {
		code = c.QueryParam("code")
	}
	right, err := h.setupCodeIs(c, code)
	if err != nil {
		return err
	}
	if !right {
		return showWithCode(c, http.StatusForbidden, views.SetupNeedsCode(h.plainPage(c), views.SetupClosed{Wrong: true}))
	}
	typed := models.AccountInput{Name: fields.Get("name"), Email: fields.Get("email"), Password: models.NewSecret(fields.Get("password")), Team: fields.Get("team")}
	input, errs := checkAccount(typed)
	if len(errs) > 0 {
		return showWithCode(c, http.StatusUnprocessableEntity, views.Setup(h.plainPage(c), views.NewSetupForm(code, typed, errs)))
	}
	ctx := c.Request().Context()
	hash, err := h.Passwords.Hash(ctx, input.Password)
	if err != nil {
		return err
	}
	user, err := h.Store.Setup(ctx, h.setupActor(c), store.Account{Name: input.Name, Email: input.Email, PasswordHash: hash, Team: input.Team})
	if err != nil {
		return err
	}
	return h.admit(c, user, passwordProof(user), views.ApplicationsPath)
}

// setupActor is nobody yet; the store names the account that it makes.
func (h *Handlers) setupActor(c echo.Context) models.Actor {
	actor := h.stranger(c)
	actor.UserName = ""
	return actor
}

func checkAccount(typed models.AccountInput) (models.AccountInput, models.FieldErrors) {
	input, err := typed.Validate()
	errs, _ := fieldErrors(err)
	if errs == nil {
		errs = models.FieldErrors{}
	}
	if errs["password"] == "" {
		if problem := secrets.CheckPassword(typed.Password, typed.Name, typed.Email, typed.Team); problem != "" {
			errs["password"] = problem
		}
	}
	return input, errs
}
