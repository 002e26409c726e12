package handlers

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/provider"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

// offer is an identity that waits to be linked to the account of its address.
type offer struct {
	Subject string `json:"subject"`
	Email   string `json:"email"`
	Next    string `json:"next"`
}

// offerLink keeps a person for the owner of an account, who has to sign in to it by
// its own means and to confirm.
func (h *Handlers) offerLink(c echo.Context, userID string, person provider.Person, next string) error {
	err := h.beginWithProvider(c, models.CeremonyProviderLink, secrets.Code(), userID, offer{person.Subject, person.Email, next})
	if err != nil {
		return err
	}
	if actorOf(c).UserID == "" {
		return c.Redirect(http.StatusSeeOther, views.LoginPath+"?next="+url.QueryEscape(views.ProviderLinkPath))
	}
	return c.Redirect(http.StatusSeeOther, views.ProviderLinkPath)
}

// offered is what this browser may link to the actor's account, and why not.
func (h *Handlers) offered(c echo.Context) (offer, []byte, views.ProviderTrouble, error) {
	var waiting offer
	if h.Provider == nil {
		return waiting, nil, 0, models.ErrNotFound
	}
	hash := secrets.Hash(h.sessions.readID(c.Request(), providerCookie))
	ceremony, err := h.Store.Ceremony(c.Request().Context(), hash, models.CeremonyProviderLink)
	if errors.Is(err, models.ErrNotFound) {
		return waiting, nil, views.ProviderOutOfDate, nil
	}
	if err != nil {
		return waiting, nil, 0, err
	}
	if err := json.Unmarshal([]byte(ceremony.Data), &waiting); err != nil {
		return waiting, nil, 0, err
	}
	if actor := actorOf(c); ceremony.UserID != actor.UserID || models.EmailKey(waiting.Email) != models.EmailKey(actor.Email) {
		return waiting, nil, views.ProviderOtherEmail, nil
	}
	return waiting, hash, views.ProviderAway, nil
}

func (h *Handlers) linkProviderPage(c echo.Context) error {
	waiting, hash, trouble, err := h.offered(c)
	if err != nil {
		return err
	}
	if hash == nil {
		return h.providerRefuses(c, trouble, views.ProviderPath, "no link to confirm")
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.LinkProvider(page, views.ConfirmProviderLink{
		Name: h.Provider.Name, There: waiting.Email, Here: actorOf(c).Email, Back: waiting.Next,
	}))
}

// linkProvider gives the account another way in, once its owner has said so.
func (h *Handlers) linkProvider(c echo.Context) error {
	waiting, hash, trouble, err := h.offered(c)
	if err != nil {
		return err
	}
	if hash == nil {
		return h.providerRefuses(c, trouble, views.ProviderPath, "no link to confirm")
	}
	ctx, actor := c.Request().Context(), actorOf(c)
	if _, err := h.Store.FinishCeremony(ctx, hash, models.CeremonyProviderLink); err != nil {
		return err
	}
	identity := models.Identity{Issuer: h.Provider.Issuer, Subject: waiting.Subject, Email: waiting.Email}
	if err := h.Store.LinkIdentity(ctx, actor, identity); errors.Is(err, models.ErrConflict) {
		return h.providerRefuses(c, views.ProviderTaken, views.ProviderPath, "linked meanwhile")
	} else if err != nil {
		return err
	}
	if err := h.keepProviderCookie(c, models.Secret{}, -1); err != nil {
		return err
	}
	h.tellOfProvider(actor, "was linked to your account at "+h.BaseURL+". You can sign in with it from now on. If you did not do that, unlink it on your profile too.")
	return h.say(c, waiting.Next, flash{Text: h.Provider.Name + " was linked. You can sign in with it from now on."})
}

// tellOfProvider tells the owner of an account by mail, where there is mail, that a
// way in has come or gone.
func (h *Handlers) tellOfProvider(actor models.Actor, what string) {
	h.notify(models.User{Name: actor.UserName, Email: actor.Email}, "Your sign-in at Latchkey was changed", h.Provider.Name+" "+what)
}

// providerCard is the card of the profile, nil where people sign in by no provider.
func (h *Handlers) providerCard(c echo.Context) (*views.ProviderCard, error) {
	if h.Provider == nil {
		return nil, nil
	}
	ctx, actor := c.Request().Context(), actorOf(c)
	found, err := h.Store.IdentityOf(ctx, actor.UserID, h.Provider.Issuer)
	identity := &found
	if errors.Is(err, models.ErrNotFound) {
		identity = nil
	} else if err != nil {
		return nil, err
	}
	ways, err := h.Store.WaysIn(ctx, actor.UserID)
	if err != nil {
		return nil, err
	}
	card := views.NewProviderCard(h.Provider.Name, identity, ways, h.clock(c))
	return &card, nil
}

// linkedCard is the card of somebody who has the link; without one there is no page.
func (h *Handlers) linkedCard(c echo.Context) (views.ProviderCard, error) {
	card, err := h.providerCard(c)
	if err == nil && (card == nil || !card.Linked) {
		err = models.ErrNotFound
	}
	if err != nil {
		return views.ProviderCard{}, err
	}
	return *card, nil
}

func (h *Handlers) providerPage(c echo.Context) error {
	card, err := h.providerCard(c)
	if err == nil && card == nil {
		err = models.ErrNotFound
	}
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.Provider(page, *card))
}

func (h *Handlers) unlinkProviderPage(c echo.Context) error {
	card, err := h.linkedCard(c)
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.UnlinkProvider(h.plainPage(c), views.ConfirmProviderUnlink{Name: card.Name, Email: card.Email}))
}

func (h *Handlers) unlinkProvider(c echo.Context) error {
	card, err := h.linkedCard(c)
	if err != nil {
		return err
	}
	actor := actorOf(c)
	err = h.Store.UnlinkIdentity(c.Request().Context(), actor, h.Provider.Issuer, sessionOf(c).IDHash)
	if fields, _ := fieldErrors(err); fields != nil {
		confirm := views.ConfirmProviderUnlink{Name: card.Name, Email: card.Email, Error: fields["provider"]}
		return show(c, http.StatusUnprocessableEntity, views.UnlinkProvider(h.plainPage(c), confirm))
	}
	if err != nil {
		return err
	}
	h.tellOfProvider(actor, "was unlinked from your account at "+h.BaseURL+". You can no longer sign in with it.")
	return h.say(c, views.ProviderPath, flash{Text: h.Provider.Name + " was unlinked."})
}
