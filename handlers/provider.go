package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/provider"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
)

const (
	// providerCookie names what this browser has begun with the provider.
	providerCookie = "latchkey_provider"
	// journeyFor is how long the way to the provider and back may take, and as long
	// again the link that may follow.
	journeyFor = 10 * time.Minute
)

// errand is what a browser goes to the provider for.
type errand string

const (
	toSignIn  errand = "sign in"
	toConfirm errand = "confirm"
	toLink    errand = "link"
)

// journey is the way of one browser to the provider and back. Its State and Nonce are
// hashes, its Verifier is sealed.
type journey struct {
	Errand   errand `json:"errand"`
	State    []byte `json:"state"`
	Nonce    []byte `json:"nonce"`
	Verifier []byte `json:"verifier"`
	// Session is the one that began it, by its hash; empty for toSignIn.
	Session []byte `json:"session,omitempty"`
	Next    string `json:"next"`
	Deed    string `json:"deed,omitempty"`
	// Begun is by our clock.
	Begun models.Time `json:"begun"`
}

// back is the page that a journey which came to nothing leads to.
func (j journey) back() string {
	switch j.Errand {
	case toLink:
		return views.ProviderPath
	case toConfirm:
		return j.Next
	}
	return views.LoginPath
}

// signInByProvider is the button on the sign-in page.
func (h *Handlers) signInByProvider(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	return h.depart(c, journey{Errand: toSignIn, Next: localPath(fields.Get("next"))})
}

// confirmByProvider is the button on the confirm page.
func (h *Handlers) confirmByProvider(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	return h.depart(c, journey{
		Errand: toConfirm, Session: sessionOf(c).IDHash, Next: localPath(fields.Get("next")), Deed: fields.Get("deed"),
	})
}

// beginProviderLink is the button on the profile.
func (h *Handlers) beginProviderLink(c echo.Context) error {
	return h.depart(c, journey{Errand: toLink, Session: sessionOf(c).IDHash, Next: views.ProviderPath})
}

// depart leads the browser to the provider, and remembers why.
func (h *Handlers) depart(c echo.Context, j journey) error {
	if h.Provider == nil {
		return models.ErrNotFound
	}
	if _, wait := h.departures.Take(middleware.AddressKey(c.RealIP())); wait > 0 {
		return h.providerFailed(c, slowDown(c, wait), views.ProviderBusy, j.back())
	}
	attempt, address, err := h.Provider.Begin(c.Request().Context(), j.Errand == toConfirm)
	if err != nil {
		return h.providerTrouble(c, err, j.back())
	}
	id := secrets.Code()
	if err := h.pack(&j, id, attempt); err != nil {
		return err
	}
	if err := h.beginWithProvider(c, models.CeremonyProvider, id, actorOf(c).UserID, j); err != nil {
		return err
	}
	c.Response().Header().Set("Refresh", "0;url="+address)
	return show(c, http.StatusOK, views.GoToProvider(h.awayPage(c), views.ProviderDeparture{Name: h.Provider.Name, Address: address}))
}

// pack keeps what the answer has to fit, in forms that are of no use to a reader of
// the database.
func (h *Handlers) pack(j *journey, id models.Secret, attempt provider.Attempt) error {
	var err error
	j.State, j.Nonce, j.Begun = secrets.Hash(attempt.State), secrets.Hash(attempt.Nonce), h.now()
	j.Verifier, err = h.Keys.Seal(attempt.Verifier, verifierPlace(id))
	return err
}

func verifierPlace(id models.Secret) secrets.Place {
	return secrets.Place{Table: "ceremonies", Column: "data", Row: fmt.Sprintf("%x", secrets.Hash(id))}
}

// beginWithProvider stores a step under the ID that only this browser has.
func (h *Handlers) beginWithProvider(c echo.Context, kind models.CeremonyKind, id models.Secret, userID string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	ceremony := models.Ceremony{IDHash: secrets.Hash(id), Kind: kind, UserID: userID, Data: string(text)}
	if err := h.Store.BeginCeremony(c.Request().Context(), ceremony, journeyFor); err != nil {
		return err
	}
	return h.keepProviderCookie(c, id, int(journeyFor.Seconds()))
}

// keepProviderCookie ties a step to this browser; a negative age lets it go.
func (h *Handlers) keepProviderCookie(c echo.Context, id models.Secret, maxAge int) error {
	s := sessions.NewSession(h.sessions, providerCookie)
	s.ID, s.Options = id.Reveal(), h.sessions.options(maxAge)
	return h.sessions.Save(c.Request(), c.Response(), s)
}

// providerButton leads to the provider, where there is one.
func (h *Handlers) providerButton(next, deed string) views.ProviderSignIn {
	if h.Provider == nil {
		return views.ProviderSignIn{}
	}
	return views.ProviderSignIn{Name: h.Provider.Name, Next: next, Deed: deed}
}

// offerProvider puts the button on the confirm page of somebody who has the link.
func (h *Handlers) offerProvider(c echo.Context, page *views.ConfirmIdentityForm, user models.User) error {
	page.NoPassword = user.PasswordHash == ""
	if h.Provider == nil {
		return nil
	}
	_, err := h.Store.IdentityOf(c.Request().Context(), user.ID, h.Provider.Issuer)
	if err == nil {
		page.Provider = h.providerButton(page.Next, page.Deed)
	}
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	return err
}

// providerTrouble says what an error of the provider means to the reader. The log has
// the reason, and no word of the provider's reaches a page.
func (h *Handlers) providerTrouble(c echo.Context, err error, back string) error {
	h.Log.Warn("sign-in by the provider failed", "request", middleware.ID(c), "error", err)
	switch {
	case errors.Is(err, provider.ErrAway):
		return h.providerFailed(c, http.StatusServiceUnavailable, views.ProviderAway, back)
	case errors.Is(err, provider.ErrRefused):
		return h.providerFailed(c, http.StatusForbidden, views.ProviderRefused, back)
	}
	return err
}

// providerRefuses is providerFailed for what the reader may not do.
func (h *Handlers) providerRefuses(c echo.Context, trouble views.ProviderTrouble, back, reason string) error {
	middleware.Annotate(c, "refused", reason)
	return h.providerFailed(c, http.StatusForbidden, trouble, back)
}

func (h *Handlers) providerFailed(c echo.Context, status int, trouble views.ProviderTrouble, back string) error {
	if status == http.StatusServiceUnavailable {
		c.Response().Header().Set(echo.HeaderRetryAfter, "60")
	}
	return show(c, status, views.ProviderFailed(h.awayPage(c), views.NewProviderProblem(trouble, h.Provider.Name, middleware.ID(c), back)))
}
