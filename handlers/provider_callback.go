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
	"github.com/latchkey/latchkey/views/layout"
)

// awayPage is the shell of a page whose own address must not be used again: it holds
// the code of the provider, or there is nothing to GET there.
func (h *Handlers) awayPage(c echo.Context) layout.Page {
	page := h.plainPage(c)
	page.Path = views.ApplicationsPath
	return page
}

// returned is what the browser brought back in the address.
type returned struct{ state, code, issuer, problem string }

// readReturned wants each parameter once at most.
func readReturned(query url.Values) (returned, bool) {
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(query[name]) > 1 {
			return returned{}, false
		}
	}
	got := returned{query.Get("state"), query.Get("code"), query.Get("iss"), query.Get("error")}
	return got, got.state != "" && (got.code == "") != (got.problem == "")
}

// providerCallback is where the provider sends the browser back to.
func (h *Handlers) providerCallback(c echo.Context) error {
	if h.Provider == nil || c.Request().Method != http.MethodGet {
		return models.ErrNotFound
	}
	got, ok := readReturned(c.QueryParams())
	if !ok {
		return h.outOfDate(c, "parameters missing or doubled")
	}
	j, id, err := h.arrived(c, got.state)
	if errors.Is(err, models.ErrNotFound) {
		return h.outOfDate(c, "begun in no browser like this, over, or too late")
	}
	if err != nil {
		return err
	}
	if j.Errand != toSignIn && !secrets.Equal(j.Session, sessionOf(c).IDHash) {
		return h.outOfDate(c, "begun in another session")
	}
	ctx := c.Request().Context()
	if got.problem != "" {
		if err := h.Provider.CheckIssuer(ctx, got.issuer); err != nil {
			return h.providerTrouble(c, err, j.back())
		}
		return h.providerRefuses(c, views.ProviderDeclined, j.back(), "provider answers "+provider.ErrorCode(got.problem))
	}
	verifier, err := h.Keys.Open(j.Verifier, verifierPlace(id))
	if err != nil {
		return err
	}
	person, err := h.Provider.Finish(ctx, provider.Answer{
		Code: models.NewSecret(got.code), Issuer: got.issuer, NonceHash: j.Nonce, Verifier: verifier,
	})
	if err != nil {
		return h.providerTrouble(c, err, j.back())
	}
	return h.meet(c, j, person)
}

func (h *Handlers) outOfDate(c echo.Context, reason string) error {
	return h.providerRefuses(c, views.ProviderOutOfDate, views.LoginPath, reason)
}

// arrived uses up the journey of this browser. One with another state is left alone:
// another site's page may have led here.
func (h *Handlers) arrived(c echo.Context, state string) (journey, models.Secret, error) {
	var j journey
	id := h.sessions.readID(c.Request(), providerCookie)
	if id.IsEmpty() {
		return j, id, models.ErrNotFound
	}
	ctx, hash := c.Request().Context(), secrets.Hash(id)
	ceremony, err := h.Store.Ceremony(ctx, hash, models.CeremonyProvider)
	if err != nil {
		return j, id, err
	}
	if err := json.Unmarshal([]byte(ceremony.Data), &j); err != nil {
		return j, id, err
	}
	if !secrets.Equal(j.State, secrets.Hash(models.NewSecret(state))) {
		return j, id, models.ErrNotFound
	}
	if _, err := h.Store.FinishCeremony(ctx, hash, models.CeremonyProvider); err != nil {
		return j, id, err
	}
	return j, id, h.keepProviderCookie(c, models.Secret{}, -1)
}

// meet decides what somebody who has proved to be this person gets. Only the pair of
// issuer and subject names an account.
func (h *Handlers) meet(c echo.Context, j journey, person provider.Person) error {
	ctx, actor := c.Request().Context(), actorOf(c)
	identity, user, err := h.Store.Identity(ctx, h.Provider.Issuer, person.Subject)
	if errors.Is(err, models.ErrNotFound) {
		return h.meetStranger(c, j, person)
	}
	if err != nil {
		return err
	}
	switch {
	case j.Errand != toSignIn && user.ID != actor.UserID:
		trouble := views.ProviderTaken
		if j.Errand == toConfirm {
			trouble = views.ProviderOther
		}
		return h.providerRefuses(c, trouble, j.back(), "another account's identity")
	case j.Errand == toLink:
		return h.say(c, views.ProviderPath, flash{Text: h.Provider.Name + " is linked already."})
	case j.Errand == toConfirm && (person.ProvenAt.IsZero() || person.ProvenAt < j.Begun.Add(-provider.Skew)):
		return h.notFresh(c, j, user)
	case !user.DisabledAt.IsZero():
		if err := h.Store.ProofFailed(ctx, h.stranger(c), models.AuditSignInFailed, user); err != nil {
			return err
		}
		return h.providerRefuses(c, views.ProviderDisabled, j.back(), "disabled user")
	}
	if err := h.Store.SeeIdentity(ctx, identity, person.Email); err != nil {
		return err
	}
	if j.Errand == toConfirm {
		return h.confirmed(c, j.Next, j.Deed)
	}
	return h.admit(c, user, models.Proof{UserID: user.ID, Method: models.ByProvider, At: person.ProvenAt}, j.Next)
}

func (h *Handlers) notFresh(c echo.Context, j journey, user models.User) error {
	if err := h.Store.ProofFailed(c.Request().Context(), actorOf(c), models.AuditConfirmFailed, user); err != nil {
		return err
	}
	return h.providerRefuses(c, views.ProviderNotFresh, j.back(), "no fresh sign-in at the provider")
}

// meetStranger is for a person whom no account is linked to.
func (h *Handlers) meetStranger(c echo.Context, j journey, person provider.Person) error {
	if j.Errand == toConfirm {
		return h.providerRefuses(c, views.ProviderOther, j.back(), "identity of no account")
	}
	if person.Email == "" {
		return h.providerRefuses(c, views.ProviderNoEmail, j.back(), "email not verified by the provider")
	}
	if j.Errand == toLink {
		return h.offerLink(c, actorOf(c).UserID, person, j.Next)
	}
	user, err := h.Store.UserByEmail(c.Request().Context(), person.Email)
	switch {
	case err == nil:
		return h.offerLink(c, user.ID, person, j.Next)
	case !errors.Is(err, models.ErrNotFound):
		return err
	case !h.Provider.Newcomers.Admits(person.Email):
		return h.providerRefuses(c, views.ProviderNoAccount, j.back(), "no account, and not of the domains")
	}
	return h.joinByProvider(c, j, person)
}

// joinByProvider makes an account for somebody of the domains.
func (h *Handlers) joinByProvider(c echo.Context, j journey, person provider.Person) error {
	place := h.Provider.Newcomers
	identity := models.Identity{Issuer: h.Provider.Issuer, Subject: person.Subject, Email: person.Email}
	user, err := h.Store.JoinByProvider(c.Request().Context(), h.stranger(c), identity, models.NewcomersName(person.Name, person.Email), place)
	if fields, _ := fieldErrors(err); fields != nil {
		h.Log.Error("nobody can join by the provider: correct LATCHKEY_OIDC_TEAM", "error", fields["team"])
		return h.providerRefuses(c, views.ProviderNoTeam, j.back(), "no team to join")
	}
	if err != nil {
		return err
	}
	return h.admit(c, user, models.Proof{UserID: user.ID, Method: models.ByProvider, At: person.ProvenAt}, j.Next)
}
