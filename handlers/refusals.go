package handlers

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/views"
)

func (h *Handlers) refused(c echo.Context) error {
	ctx, team := c.Request().Context(), actorOf(c).TeamID
	query := models.RefusedQuery{Application: c.QueryParam("application"), Page: pageNumber(c.QueryParam("page"))}
	var chosen models.Application
	if query.Application != "" {
		var err error
		if chosen, err = h.Store.LoggedApplication(ctx, team, query.Application); err != nil {
			return err
		}
	}
	list, err := h.Store.RefusedCalls(ctx, team, query)
	if err != nil {
		return err
	}
	apps, err := h.Store.ApplicationNames(ctx, team, maxChoices)
	if err != nil {
		return err
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.Refused(page, views.NewRefusedView(list, query.Page, apps, chosen, h.clock(c))))
}

// lastRefused is the last refused calls of an application.
func (h *Handlers) lastRefused(c echo.Context, appID string) (views.RefusedCard, error) {
	rows, err := h.Store.LastRefused(c.Request().Context(), actorOf(c).TeamID, appID, views.RefusedCardRows)
	return views.NewRefusedCard(appID, rows, h.clock(c)), err
}

func (h *Handlers) checkTokenPage(c echo.Context) error {
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.CheckToken(page, views.CheckTokenView{}))
}

// checkToken says what is wrong with a value. The script sends its hash and what it has seen
// itself, and is answered by the verdict alone; without it the form sends the value.
func (h *Handlers) checkToken(c echo.Context) error {
	fields, err := form(c)
	if err != nil {
		return err
	}
	if _, wait := h.checks.Take(actorOf(c).UserID); wait > 0 {
		return echo.NewHTTPError(slowDown(c, wait))
	}
	if fields.Has("mistake") {
		mistake, around, hash, ok := judged(fields)
		if !ok {
			return echo.ErrBadRequest
		}
		view, err := h.verdict(c, mistake, around, hash)
		if err != nil {
			return err
		}
		return show(c, http.StatusOK, views.Verdict(view))
	}
	pasted := tokens.ReadPasted(fields.Get("value"))
	if pasted.Mistake == models.MistakeEmpty {
		return show(c, http.StatusUnprocessableEntity, views.CheckToken(h.plainPage(c), views.CheckTokenView{Error: "Paste a token."}))
	}
	view, err := h.verdict(c, pasted.Mistake, pasted.Around, secrets.Hash(pasted.Value))
	if err != nil {
		return err
	}
	return show(c, http.StatusOK, views.CheckToken(h.plainPage(c), views.CheckTokenView{Verdict: &view}))
}

// judged reads what the script found.
func judged(fields url.Values) (mistake models.Mistake, around []models.Around, hash []byte, ok bool) {
	mistake = models.Mistake(fields.Get("mistake"))
	if mistake != "" && !slices.Contains(models.Mistakes, mistake) {
		return "", nil, nil, false
	}
	for _, what := range models.Arounds {
		if slices.Contains(fields["around"], string(what)) {
			around = append(around, what)
		}
	}
	if !mistake.Asked() {
		return mistake, around, nil, true
	}
	hash, err := hex.DecodeString(fields.Get("hash"))
	return mistake, around, hash, err == nil && len(hash) == 32
}

func (h *Handlers) verdict(c echo.Context, mistake models.Mistake, around []models.Around, hash []byte) (views.VerdictView, error) {
	var known models.TokenVerdict
	if mistake.Asked() {
		var err error
		if known, err = h.Store.CheckToken(c.Request().Context(), actorOf(c).TeamID, hash); err != nil {
			return views.VerdictView{}, err
		}
	}
	return views.NewVerdictView(mistake, around, known, h.clock(c)), nil
}
