package handlers

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

// newPasskey is a passkey that a browser was asked to make.
type newPasskey struct {
	State  json.RawMessage `json:"state"`
	Handle []byte          `json:"handle"`
}

// newPasskeyOptions says what to ask the browser for. A name that will not do is
// told by the page, which the script sends then.
func (h *Handlers) newPasskeyOptions(c echo.Context) error {
	if !wantsJSON(c) { // it waited for a proof of identity: begin anew on the page
		return c.Redirect(http.StatusSeeOther, views.SecondFactorPath)
	}
	fields, err := form(c)
	if err != nil {
		return err
	}
	ctx, actor := c.Request().Context(), actorOf(c)
	factors, err := h.Store.Factors(ctx, actor.UserID)
	if err != nil {
		return err
	}
	if _, problem := checkPasskeyName(fields.Get("name"), factors.Passkeys); problem != "" || !h.passkeys.Available() {
		return c.JSON(http.StatusUnprocessableEntity, map[string]string{"name": problem})
	}
	if _, wait := h.challenges.Take(middleware.AddressKey(c.RealIP())); wait > 0 {
		return echo.NewHTTPError(slowDown(c, wait))
	}
	handle := secrets.NewHandle()
	if len(factors.Passkeys) > 0 {
		handle = factors.Passkeys[0].Handle
	}
	asked, err := h.passkeys.Register(models.User{Name: actor.UserName, Email: actor.Email}, handle, factors.Passkeys)
	if err != nil {
		return err
	}
	if err := h.beginStep(c, stepNewPasskey, actor.UserID, newPasskey{asked.State, handle}); err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, asked.Options)
}

func checkPasskeyName(typed string, known []models.Passkey) (name, problem string) {
	if name, problem = models.CheckName(typed); problem == "" {
		problem = models.CheckPasskeyName(name, known)
	}
	return name, problem
}

// addPasskey stores the passkey that the browser has made.
func (h *Handlers) addPasskey(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	ctx, actor := c.Request().Context(), actorOf(c)
	factors, err := h.Store.Factors(ctx, actor.UserID)
	if err != nil {
		return err
	}
	name, problem := checkPasskeyName(fields.Get("name"), factors.Passkeys)
	if problem != "" {
		return h.passkeyNotAdded(c, fields.Get("name"), models.FieldErrors{"name": problem})
	}
	passkey, err := h.madePasskey(c, fields.Get("credential"))
	if errors.Is(err, secrets.ErrPasskey) {
		return h.passkeyNotAdded(c, name, models.FieldErrors{"passkey": views.PasskeyNotAdded})
	}
	if err != nil {
		return err
	}
	passkey.ID, passkey.Name = store.NewID(), name
	return h.factorAdded(c, factors, "The passkey "+name+" was added", func(codes []string) error {
		return h.Store.AddPasskey(ctx, actor, passkey, codes, sessionOf(c).IDHash)
	})
}

// madePasskey checks the answer to this browser's challenge.
func (h *Handlers) madePasskey(c echo.Context, answer string) (models.Passkey, error) {
	var asked newPasskey
	ceremony, err := h.finishStep(c, stepNewPasskey, &asked)
	if errors.Is(err, models.ErrNotFound) || err == nil && ceremony.UserID != actorOf(c).UserID {
		return models.Passkey{}, secrets.ErrPasskey
	}
	if err != nil {
		return models.Passkey{}, err
	}
	passkey, err := h.passkeys.Registered(asked.State, asked.Handle, answer)
	if err != nil {
		middleware.Annotate(c, "refused", err.Error())
	}
	return passkey, err
}

func (h *Handlers) passkeyNotAdded(c echo.Context, name string, errs models.FieldErrors) error {
	return h.showSecondFactor(c, http.StatusUnprocessableEntity, h.plainPage(c), name, errs)
}

// passkeyNamed finds the passkey that the path names among the actor's own.
func (h *Handlers) passkeyNamed(c echo.Context) (models.Factors, *models.Passkey, error) {
	factors, err := h.Store.Factors(c.Request().Context(), actorOf(c).UserID)
	if err != nil {
		return factors, nil, err
	}
	for i := range factors.Passkeys {
		if factors.Passkeys[i].ID == c.Param(paramPasskey) {
			return factors, &factors.Passkeys[i], nil
		}
	}
	return factors, nil, models.ErrNotFound
}

func (h *Handlers) removePasskeyPage(c echo.Context) error {
	factors, passkey, err := h.passkeyNamed(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.RemoveFactor(h.plainPage(c), views.NewConfirmRemoveFactor(factors, passkey, nil)))
}

func (h *Handlers) removePasskey(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	factors, passkey, err := h.passkeyNamed(c)
	if err != nil {
		return err
	}
	_, err = h.Store.RemovePasskey(c.Request().Context(), actorOf(c), passkey.ID, h.leaving(c))
	return h.factorRemoved(c, factors, passkey, "The passkey "+passkey.Name+" was removed", err)
}
