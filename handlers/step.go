package handlers

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// step is a ceremony whose random ID stands in a signed cookie of the browser that
// began it, so that nobody else goes on with it.
type step struct {
	cookie string
	kind   models.CeremonyKind
	lasts  time.Duration
}

const challengeLasts = 5 * time.Minute // S19

var (
	stepSecondFactor  = step{"latchkey_step", models.CeremonySecondFactor, 10 * time.Minute}
	stepAuthenticator = step{"latchkey_app", models.CeremonyAuthenticator, 10 * time.Minute}
	stepNewPasskey    = step{"latchkey_passkey", models.CeremonyNewPasskey, challengeLasts}
	stepPasskeySignIn = step{"latchkey_passkey", models.CeremonyPasskeySignIn, challengeLasts}
	stepPasskeySecond = step{"latchkey_passkey", models.CeremonyPasskeySecond, challengeLasts}
	stepPasskeyProof  = step{"latchkey_passkey", models.CeremonyPasskeyConfirms, challengeLasts}
)

// beginStep stores data, which holds no secret in the clear.
func (h *Handlers) beginStep(c echo.Context, at step, userID string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("writing a step: %w", err)
	}
	id := secrets.Code()
	ceremony := models.Ceremony{IDHash: secrets.Hash(id), Kind: at.kind, UserID: userID, Data: string(text)}
	if err := h.Store.BeginCeremony(c.Request().Context(), ceremony, at.lasts); err != nil {
		return err
	}
	return h.saveStep(c, at, id, int(at.lasts.Seconds()))
}

func (h *Handlers) saveStep(c echo.Context, at step, id models.Secret, maxAge int) error {
	s := sessions.NewSession(h.sessions, at.cookie)
	s.ID, s.Options = id.Reveal(), h.sessions.options(maxAge)
	return h.sessions.Save(c.Request(), c.Response(), s)
}

// dropStep tells the browser to forget a step.
func (h *Handlers) dropStep(c echo.Context, at step) error {
	return h.saveStep(c, at, models.Secret{}, -1)
}

// readStep reads what this browser has begun into data: models.ErrNotFound where it has
// not, or took too long.
func (h *Handlers) readStep(c echo.Context, at step, data any) (models.Ceremony, error) {
	ceremony, err := h.Store.Ceremony(c.Request().Context(), h.stepID(c, at), at.kind)
	return readData(ceremony, err, data)
}

// finishStep is readStep for the last time: of two at once one gets it.
func (h *Handlers) finishStep(c echo.Context, at step, data any) (models.Ceremony, error) {
	ceremony, err := h.Store.FinishCeremony(c.Request().Context(), h.stepID(c, at), at.kind)
	return readData(ceremony, err, data)
}

func (h *Handlers) stepID(c echo.Context, at step) []byte {
	return secrets.Hash(h.sessions.readID(c.Request(), at.cookie))
}

func readData(ceremony models.Ceremony, err error, data any) (models.Ceremony, error) {
	if err != nil {
		return ceremony, err
	}
	if err := json.Unmarshal([]byte(ceremony.Data), data); err != nil {
		return ceremony, fmt.Errorf("reading a step: %w", err)
	}
	return ceremony, nil
}
