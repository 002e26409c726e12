package handlers

import (
	"net/http"
	"regexp"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

func (h *Handlers) addKeyPage(c echo.Context) error {
	return h.ask(c, func(page layout.Page, app models.ApplicationDetail) templ.Component {
		return views.AddClientKey(page, views.NewClientKeyForm(app.Application, views.ClientKeyTyped{}, nil, newOnce()))
	})
}

func (h *Handlers) addKey(c echo.Context) error {
	fields, app, err := h.posted(c)
	if err != nil {
		return err
	}
	typed := views.ClientKeyTyped{Name: fields.Get("name"), Key: fields.Get("key")}
	key, err := clientKey(typed)
	if err == nil {
		err = h.Store.AddClientKey(c.Request().Context(), actorOf(c), app.ID, key, onceOf(c, fields))
	}
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		if privateMark.MatchString(typed.Key) {
			typed.Key = ""
		}
		page := views.NewClientKeyForm(app.Application, typed, errs, newOnce())
		return show(c, http.StatusUnprocessableEntity, views.AddClientKey(h.plainPage(c), page))
	}
	return h.say(c, views.ApplicationPath(app.ID), flash{Text: "The public key " + key.Name + " was added."})
}

// clientKey checks the form. Fields of the error: name, key.
func clientKey(typed views.ClientKeyTyped) (models.ClientKey, error) {
	errs := models.FieldErrors{}
	name, problem := models.CheckName(typed.Name)
	if problem != "" {
		errs["name"] = problem
	}
	key, problem := secrets.ParsePublicKey(typed.Key)
	if problem != "" {
		errs["key"] = problem
	}
	return models.ClientKey{ID: store.NewID(), Name: name, JWK: key.JWK, Thumbprint: key.Thumbprint, Description: key.Description}, errs.OrNil()
}

// privateMark finds what stands in private and symmetric keys alone, however
// damaged: the word of PEM and PuTTY, the members of a JWK (RFC 7518 section 6) or
// a backslash, by which a JWK could spell them otherwise. Such a key does not go
// back into a page.
var privateMark = regexp.MustCompile(`(?i)private|"(d|p|q|dp|dq|qi|oth|k|priv)"|\\`)

// keyOf finds the public key that the path names, through its application.
func (h *Handlers) keyOf(c echo.Context) (models.ApplicationDetail, models.ClientKey, error) {
	app, err := h.applicationOf(c)
	if err != nil {
		return app, models.ClientKey{}, err
	}
	for _, key := range app.Keys {
		if key.ID == c.Param(paramKey) {
			return app, key.ClientKey, nil
		}
	}
	return app, models.ClientKey{}, models.ErrNotFound
}

func (h *Handlers) removeKeyPage(c echo.Context) error {
	app, key, err := h.keyOf(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.RemoveClientKey(h.plainPage(c), views.NewConfirmRemoveKey(app, key, h.clock(c))))
}

func (h *Handlers) removeKey(c echo.Context) error {
	if _, err := form(c); err != nil {
		return err
	}
	appID := c.Param(paramApplication)
	key, err := h.Store.RemoveClientKey(c.Request().Context(), actorOf(c), appID, c.Param(paramKey))
	if err != nil {
		return err
	}
	return h.say(c, views.ApplicationPath(appID), flash{Text: "The public key " + key.Name + " was removed."})
}
