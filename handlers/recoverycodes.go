package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

// newRecoveryCodes makes ten codes and their hashes. Each is as slow as a password, so
// how often one person may ask for that is bounded.
func (h *Handlers) newRecoveryCodes(c echo.Context) (codes []models.Secret, hashes []string, err error) {
	if _, wait := h.codeMakers.Take(actorOf(c).UserID); wait > 0 {
		return nil, nil, echo.NewHTTPError(slowDown(c, wait))
	}
	codes = secrets.NewRecoveryCodes()
	for _, shown := range codes {
		_, code, _ := secrets.ReadRecoveryCode(shown)
		hash, err := h.Passwords.Hash(c.Request().Context(), code)
		if err != nil {
			return nil, nil, err
		}
		hashes = append(hashes, hash)
	}
	return codes, hashes, nil
}

func (h *Handlers) recoveryCodesPage(c echo.Context) error {
	factors, err := h.Store.Factors(c.Request().Context(), actorOf(c).UserID)
	if err == nil && !factors.Any() {
		err = models.ErrNotFound
	}
	if err != nil {
		return err
	}
	view := views.NewSecondFactorView(views.SecondFactorState{Factors: factors}, h.clock(c))
	return show(c, http.StatusOK, views.MakeRecoveryCodes(h.plainPage(c), view.Codes.Left))
}

func (h *Handlers) makeRecoveryCodes(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	if !actorOf(c).SecondFactor {
		return models.ErrNotFound
	}
	codes, hashes, err := h.newRecoveryCodes(c)
	if err != nil {
		return err
	}
	if err := h.Store.ReplaceRecoveryCodes(c.Request().Context(), actorOf(c), hashes); err != nil {
		return err
	}
	h.tellActorOfFactor(c, "New recovery codes were made; those before stopped working")
	return show(c, http.StatusOK, views.RecoveryCodes(h.plainPage(c), views.NewRecoveryCodesView(codes, "The codes before stopped working.")))
}
