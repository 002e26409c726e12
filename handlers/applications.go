package handlers

import (
	"maps"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) applications(c echo.Context) error {
	query := models.ApplicationQuery{
		Search: strings.TrimSpace(middleware.Clip(c.QueryParam("q"), 200)), Sort: models.ApplicationSort(c.QueryParam("sort")),
		Desc: c.QueryParam("dir") == "desc", Ending: c.QueryParam("ending") == "1", Page: pageNumber(c.QueryParam("page")),
	}
	actor := actorOf(c)
	list, err := h.Store.Applications(c.Request().Context(), actor.TeamID, query)
	if err != nil {
		return err
	}
	attention, err := h.Store.Attention(c.Request().Context(), actor.TeamID)
	if err != nil {
		return err
	}
	for i := range list.Rows {
		list.Rows[i].Lifespan = min(list.Rows[i].Lifespan, h.Limits.MaxLifespan)
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.Applications(page, views.NewApplicationsList(list, query, attention, actor.Role, h.clock(c))))
}

func (h *Handlers) newApplication(c echo.Context) error {
	return show(c, http.StatusOK, views.NewApplication(h.plainPage(c), views.NewNewApplication(views.ApplicationTyped{}, h.Limits, nil, newOnce())))
}

// newOnce is the key of a form that takes effect once.
func newOnce() string { return uuid.NewString() }

func (h *Handlers) createApplication(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	typed := applicationForm(fields)
	values, err := typed.Input().Validate(h.Limits)
	err = h.withName(c, err, values.Name, "")
	id := ""
	if err == nil {
		id, err = h.storeApplication(c, values, onceOf(c, fields))
	}
	errs, err := fieldErrors(err)
	if err != nil {
		return err
	}
	if errs != nil {
		page := views.NewNewApplication(typed, h.Limits, errs, newOnce())
		return show(c, http.StatusUnprocessableEntity, views.NewApplication(h.plainPage(c), page))
	}
	return h.say(c, views.ApplicationPath(id), flash{Text: values.Name + " was created."})
}

// withName adds to the errors of other fields that the name is taken, so that
// nobody learns of one mistake after the other.
func (h *Handlers) withName(c echo.Context, err error, name, except string) error {
	errs, _ := fieldErrors(err)
	if errs == nil || errs["name"] != "" {
		return err
	}
	taken, other := fieldErrors(h.Store.CheckName(c.Request().Context(), actorOf(c).TeamID, name, except))
	if other != nil {
		return other
	}
	maps.Copy(errs, taken)
	return errs
}

func (h *Handlers) storeApplication(c echo.Context, values models.ApplicationValues, once string) (string, error) {
	secret, err := h.newSecret()
	if err != nil {
		return "", err
	}
	return h.Store.CreateApplication(c.Request().Context(), actorOf(c), models.Application{
		ID: store.NewID(), Type: models.TypeService, Name: values.Name, ClientID: uuid.NewString(),
		Lifespan: values.Lifespan, Scopes: values.Scopes,
	}, secret, once)
}
