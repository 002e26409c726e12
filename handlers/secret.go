package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

// overlaps are how long an old secret may go on, in seconds.
var overlaps = []int64{0, 3600, 86400}

func (h *Handlers) rotatePage(c echo.Context) error {
	return h.ask(c, func(page layout.Page, app models.ApplicationDetail) templ.Component {
		return views.RotateSecret(page, views.NewConfirmRotate(app, "", newOnce(), nil, h.clock(c)))
	})
}

func (h *Handlers) rotate(c echo.Context) error {
	fields, app, err := h.posted(c)
	if err != nil {
		return err
	}
	overlap, ok := parseOverlap(fields.Get("overlap"))
	if !ok {
		errs := models.FieldErrors{"overlap": "Choose one of the times shown."}
		page := views.NewConfirmRotate(app, fields.Get("overlap"), newOnce(), errs, h.clock(c))
		return show(c, http.StatusUnprocessableEntity, views.RotateSecret(h.plainPage(c), page))
	}
	secret, err := h.newSecret()
	if err != nil {
		return err
	}
	creates, replaces := fields.Has(views.CreatesSecret), fields.Get("replaces")
	if creates && len(app.Secrets) > 0 {
		replaces = noSecret
	}
	err = h.Store.RotateSecret(c.Request().Context(), actorOf(c), app.ID, store.Rotation{
		Secret: secret, Overlap: overlap, Replaces: replaces, FormKey: onceOf(c, fields),
	})
	if errors.Is(err, models.ErrConflict) {
		errs := models.FieldErrors{"overlap": rotatedMeanwhile(creates, app)}
		page := views.NewConfirmRotate(app, fields.Get("overlap"), newOnce(), errs, h.clock(c))
		return show(c, http.StatusConflict, views.RotateSecret(h.plainPage(c), page))
	}
	if err != nil {
		return err
	}
	text := rotatedText(overlap)
	if creates || len(app.Secrets) == 0 {
		text = "The client secret was created."
	}
	return h.say(c, backTo(c, views.ApplicationPath(app.ID), views.HygienePath), flash{Text: text})
}

func rotatedText(overlap time.Duration) string {
	if overlap == 0 {
		return "The client secret was rotated. The old one stopped working."
	}
	return "The client secret was rotated. The old one works for " + models.FormatLifespan(int64(overlap.Seconds())) + " more."
}

// noSecret is the ID of no secret. Where a form that was to create the secret
// finds one, it is a second press, which the store knows by the form's key, or
// somebody else's secret, which is not to be replaced unseen.
const noSecret = "none"

func rotatedMeanwhile(creates bool, app models.ApplicationDetail) string {
	switch {
	case creates:
		return "A secret was created while this page was open. Rotate it only if you mean to."
	case len(app.Secrets) == 0:
		return "The secret was removed while this page was open. Create a new one only if you mean to."
	}
	return "The secret was rotated while this page was open. Rotate the new one only if you mean to."
}

func parseOverlap(text string) (time.Duration, bool) {
	if text == "" {
		return 0, true
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || !slices.Contains(overlaps, seconds) {
		return 0, false
	}
	return time.Duration(seconds) * time.Second, true
}

func (h *Handlers) retirePage(c echo.Context) error {
	app, err := h.ownApplicationOf(c)
	if err != nil {
		return err
	}
	if len(app.Secrets) < 2 {
		return c.Redirect(http.StatusSeeOther, views.ApplicationPath(app.ID))
	}
	return show(c, http.StatusOK, views.RetireSecret(h.plainPage(c), views.NewConfirmRetire(app, h.clock(c))))
}

func (h *Handlers) retire(c echo.Context) error {
	app, err := h.ownApplicationOf(c)
	if err != nil {
		return err
	}
	if err := h.Store.RetireSecret(c.Request().Context(), actorOf(c), app.ID); err != nil {
		return err
	}
	return h.say(c, views.ApplicationPath(app.ID), flash{Text: "The old client secret was ended."})
}

// removeSecretPage leads back where nothing is to be removed, or nothing would be left.
func (h *Handlers) removeSecretPage(c echo.Context) error {
	app, err := h.ownApplicationOf(c)
	if err != nil {
		return err
	}
	if len(app.Secrets) == 0 || len(app.Keys) == 0 {
		return c.Redirect(http.StatusSeeOther, views.ApplicationPath(app.ID))
	}
	return show(c, http.StatusOK, views.RemoveSecret(h.plainPage(c), views.NewConfirmRemoveSecret(app, h.clock(c))))
}

func (h *Handlers) removeSecret(c echo.Context) error {
	app, err := h.ownApplicationOf(c)
	if err != nil {
		return err
	}
	err = h.Store.RemoveSecret(c.Request().Context(), actorOf(c), app.ID)
	if errors.Is(err, models.ErrConflict) {
		text := app.Name + " has no public key to go on with. Add one, then remove the secret."
		return h.say(c, views.ApplicationPath(app.ID), flash{Tone: "danger", Text: text})
	}
	if err != nil {
		return err
	}
	return h.say(c, views.ApplicationPath(app.ID), flash{Text: "The client secret was removed. Programs that use it are refused."})
}

// revealSecret answers the client secret. The audit event is stored before.
func (h *Handlers) revealSecret(c echo.Context) error {
	_, app, err := h.posted(c)
	if err != nil {
		return err
	}
	secret, err := h.Store.RevealSecret(c.Request().Context(), actorOf(c), app.ID)
	if err != nil {
		return err
	}
	value, err := h.openSecret(secret)
	if err != nil {
		return err
	}
	if wantsJSON(c) {
		return answerValue(c, value)
	}
	return h.showApplication(c, app, views.Revealed{SecretID: secret.ID, Value: value})
}

// answerValue gives the script the value that it asked for.
func answerValue(c echo.Context, value models.Secret) error {
	return c.JSON(http.StatusOK, map[string]string{"value": value.Reveal()})
}

// newSecret makes a client secret: a hash to compare with, and the sealed value
// to show later.
func (h *Handlers) newSecret() (models.ClientSecret, error) {
	id, value := store.NewID(), secrets.NewClientSecret()
	sealed, err := h.Keys.Seal(value, secretPlace(id))
	return models.ClientSecret{ID: id, Hash: secrets.Hash(value), Sealed: sealed, Last4: value.Last4()}, err
}

// openSecret opens a client secret that the store has revealed.
func (h *Handlers) openSecret(secret models.ClientSecret) (models.Secret, error) {
	return h.Keys.Open(secret.Sealed, secretPlace(secret.ID))
}

func secretPlace(id string) secrets.Place {
	return secrets.Place{Table: "client_secrets", Column: "sealed", Row: id}
}
