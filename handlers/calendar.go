package handlers

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/warnings"
)

// makeCalendar gives the member a feed under a new address, and shows that in this
// answer alone.
func (h *Handlers) makeCalendar(c echo.Context) error {
	code := secrets.Code()
	if err := h.Store.SetCalendarFeed(c.Request().Context(), actorOf(c), secrets.Hash(code)); err != nil {
		return err
	}
	address := models.NewSecret(h.BaseURL + views.CalendarPath + code.Reveal() + views.CalendarSuffix)
	return h.showWarnings(c, address, models.Secret{})
}

func (h *Handlers) removeCalendar(c echo.Context) error {
	if err := h.Store.RemoveCalendarFeed(c.Request().Context(), actorOf(c)); err != nil {
		return err
	}
	return h.say(c, views.WarningsPath, flash{Text: "Your calendar feed was switched off."})
}

// calendar answers a feed. Its code is the proof, and membership is looked at each time.
func (h *Handlers) calendar(c echo.Context) error {
	ctx := c.Request().Context()
	from := middleware.AddressKey(c.RealIP())
	if wait := h.warned.wrongFeeds.Wait(from); wait > 0 {
		return echo.NewHTTPError(slowDown(c, wait))
	}
	code, ok := strings.CutSuffix(c.Param(paramCode), views.CalendarSuffix)
	feed, team, err := models.CalendarFeed{}, models.Team{}, models.ErrNotFound
	hash := secrets.Hash(models.NewSecret(code))
	if ok && code != "" {
		feed, team, err = h.Store.CalendarByCode(ctx, hash)
	}
	if errors.Is(err, models.ErrNotFound) {
		h.warned.wrongFeeds.Fail(from)
		middleware.Annotate(c, "refused", "no such calendar")
	}
	if err != nil {
		return err
	}
	if _, wait := h.warned.feeds.Take(string(hash)); wait > 0 {
		return echo.NewHTTPError(slowDown(c, wait))
	}
	endings, err := h.Store.CalendarEndings(ctx, feed.TeamID)
	if err != nil {
		return err
	}
	h.sessions.note(h.Store.SeeCalendar(ctx, feed))
	return answerCalendar(c, warnings.Calendar(team.Name, h.BaseURL, endings))
}

func answerCalendar(c echo.Context, text string) error {
	tag := `"` + base64.RawURLEncoding.EncodeToString(secrets.Hash(models.NewSecret(text))[:16]) + `"`
	header := c.Response().Header()
	// Kept by the calendar program alone, which asks each time whether it still holds.
	header.Set(echo.HeaderCacheControl, "private, no-cache")
	header.Set("ETag", tag)
	header.Set(echo.HeaderContentType, "text/calendar; charset=utf-8")
	header.Set(echo.HeaderContentDisposition, `attachment; filename="latchkey.ics"`)
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, strings.NewReader(text))
	return nil
}
