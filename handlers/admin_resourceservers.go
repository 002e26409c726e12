package handlers

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) adminResourceServers(c echo.Context) error {
	servers, err := h.Store.ResourceServers(c.Request().Context())
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.AdminResourceServers(page, views.NewAdminResourceServersList(servers, h.clock(c))))
}

func (h *Handlers) newResourceServer(c echo.Context) error {
	return show(c, http.StatusOK, views.AdminNewResourceServer(h.plainPage(c), views.NewResourceServerForm{}))
}

// addResourceServer answers the secret, which is stored as a hash alone.
func (h *Handlers) addResourceServer(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	typed := views.NewResourceServerForm{Name: fields.Get("name")}
	name, problem := models.CheckName(typed.Name)
	secret := secrets.NewClientSecret()
	server := models.ResourceServer{ID: store.NewID(), Name: name, ClientID: uuid.NewString(), Hash: secrets.Hash(secret)}
	if problem == "" {
		errs, err := fieldErrors(h.Store.AddResourceServer(c.Request().Context(), actorOf(c), server))
		if err != nil {
			return err
		}
		problem = errs["name"]
	}
	if problem != "" {
		typed.NameError = problem
		return show(c, http.StatusUnprocessableEntity, views.AdminNewResourceServer(h.plainPage(c), typed))
	}
	return h.adminShow(c, views.NewResourceServerShown(server, secret))
}

func (h *Handlers) resourceServerOf(c echo.Context) (models.ResourceServer, error) {
	return h.Store.ResourceServer(c.Request().Context(), c.Param(paramServer))
}

func (h *Handlers) rotateResourceServerPage(c echo.Context) error {
	server, err := h.resourceServerOf(c)
	if err != nil {
		return err
	}
	return h.adminAsk(c, views.NewConfirmRotateResourceServer(server))
}

func (h *Handlers) rotateResourceServer(c echo.Context) error {
	server, err := h.resourceServerOf(c)
	if err != nil {
		return err
	}
	secret := secrets.NewClientSecret()
	if err := h.Store.RotateResourceServer(c.Request().Context(), actorOf(c), server.ID, secrets.Hash(secret)); err != nil {
		return err
	}
	return h.adminShow(c, views.NewResourceServerShown(server, secret))
}

func (h *Handlers) removeResourceServerPage(c echo.Context) error {
	server, err := h.resourceServerOf(c)
	if err != nil {
		return err
	}
	return h.adminAsk(c, views.NewConfirmRemoveResourceServer(server))
}

func (h *Handlers) removeResourceServer(c echo.Context) error {
	server, err := h.resourceServerOf(c)
	if err != nil {
		return err
	}
	if err := h.Store.RemoveResourceServer(c.Request().Context(), actorOf(c), server.Name); err != nil {
		return err
	}
	return h.say(c, views.AdminResourceServersPath, flash{Text: server.Name + " was removed. Its questions are refused."})
}
