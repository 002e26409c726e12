package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

const (
	// explorerPatience is how long an API may take to answer the Explorer in all, and
	// explorerRest how long the page may take after that.
	explorerPatience = 30 * time.Second
	explorerRest     = 10 * time.Second
	// explorerAnswer is how much of an answer is shown.
	explorerAnswer = 1 << 20
	// explorerAgent is what calls of the Explorer call themselves.
	explorerAgent = "Latchkey-Explorer"
)

// errBroken is a call that ended without an answer.
var errBroken = errors.New("the API broke off before it answered")

// sendable tells whether the chosen token may be used now: that of an application wants a
// fresh proof of identity, as seeing its value does.
func (h *Handlers) sendable(c echo.Context, choice views.ExplorerChoice) bool {
	return choice.Temporary || h.isFresh(sessionOf(c))
}

// sendAndShow sends one request of a person at a time.
func (h *Handlers) sendAndShow(c echo.Context, choice views.ExplorerChoice, view views.ExplorerView, request models.ExplorerRequest) error {
	if !h.sendable(c, choice) {
		return h.confirmFirst(c, choice)
	}
	user := actorOf(c).UserID
	if !h.exploring.enter(user, 1) {
		return echo.NewHTTPError(slowDown(c, time.Second))
	}
	defer h.exploring.leave(user)
	ctx, cancel := h.explorerTime(c)
	defer cancel()
	value, err := h.valueToUse(c, choice)
	if err != nil {
		return err
	}
	answered, err := h.send(ctx, c, request, value)
	status := http.StatusOK
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		view.Problem, status = "The API did not answer within 30 seconds. Try again, or ask for less.", http.StatusGatewayTimeout
	case errors.Is(err, errBroken):
		view.Problem, status = "The API broke off before it answered. Try again in a moment.", http.StatusBadGateway
	case err != nil:
		return err
	default:
		view.Answer = views.NewExplorerAnswer(answered)
	}
	if wantsJSON(c) {
		return answerScript(c, status, view)
	}
	return h.showExplorer(c, status, choice, view)
}

// confirmFirst asks for a proof of identity. The editor keeps what is typed, so its request
// does not wait in the session.
func (h *Handlers) confirmFirst(c echo.Context, choice views.ExplorerChoice) error {
	if !wantsJSON(c) {
		return h.toConfirm(c)
	}
	target := confirmPath(views.ExplorerPath+"?"+chosen(choice).Encode(), "")
	return c.JSON(http.StatusForbidden, map[string]string{"confirm": target})
}

// explorerTime gives a call its own time, which is longer than that of a page, and ends it
// when the browser leaves.
func (h *Handlers) explorerTime(c echo.Context) (context.Context, context.CancelFunc) {
	page := c.Request().Context()
	whole, cancelWhole := context.WithTimeout(context.WithoutCancel(page), explorerPatience+explorerRest)
	ctx, cancel := context.WithTimeout(whole, explorerPatience)
	stop := context.AfterFunc(page, func() {
		if errors.Is(page.Err(), context.Canceled) {
			cancelWhole()
		}
	})
	c.SetRequest(c.Request().WithContext(whole))
	deadline := time.Now().Add(explorerPatience + explorerRest) //nolint:forbidigo // of the socket, which knows no other clock
	_ = http.NewResponseController(c.Response()).SetWriteDeadline(deadline)
	return ctx, func() {
		stop()
		cancel()
		cancelWhole()
		// An error page has a time of its own, and depends on why the page's has ended.
		c.SetRequest(c.Request().WithContext(page))
	}
}

// valueToUse opens the chosen token for one call. Nobody sees it. Its use stands in the
// audit log once an hour for each person and token: each call stands in the usage.
func (h *Handlers) valueToUse(c echo.Context, choice views.ExplorerChoice) (models.Secret, error) {
	if choice.Temporary {
		_, value, err := h.temporaryToken(c)
		return value, err
	}
	actor, token := actorOf(c), choice.Usable
	if note, wait := h.tokenUses.Take(actor.UserID + " " + token.ID); wait == 0 {
		if err := h.Store.UseToken(c.Request().Context(), actor, token.ApplicationID, token.ID); err != nil {
			h.tokenUses.Return(note)
			return models.Secret{}, err
		}
	}
	return h.Issuer.Open(token.Token)
}

// send makes the call through the gateway, within the program.
func (h *Handlers) send(ctx context.Context, c echo.Context, request models.ExplorerRequest, value models.Secret) (views.Answered, error) {
	r, err := h.apiRequest(ctx, c, request)
	if err != nil {
		return views.Answered{}, err
	}
	var points spent
	began := h.Now()
	response, err := h.Gateway.Do(ctx, r, value, gateway.Caller{
		Address: c.RealIP(), RequestID: middleware.ID(c), HTTPS: h.HTTPS, Points: points.set,
		Note: func(key, text string) { middleware.Annotate(c, "explorer_"+key, text) },
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return views.Answered{}, ctx.Err()
	case err != nil:
		h.Log.Warn("call of the Explorer failed", "request", middleware.ID(c), "error", err)
		return views.Answered{}, errBroken
	}
	defer response.Body.Close()
	answered := views.Answered{Status: response.StatusCode, Reason: http.StatusText(response.StatusCode), Headers: headerLines(response.Header)}
	answered.Body, err = io.ReadAll(io.LimitReader(response.Body, explorerAnswer+1))
	if len(answered.Body) > explorerAnswer {
		answered.Body, answered.Cut = answered.Body[:explorerAnswer], true
	}
	answered.Took = h.Now().Sub(began)
	answered.Points, answered.Known = points.get()
	// What came before an upstream cut its answer is shown all the same.
	answered.Late, answered.Broken = ctx.Err() != nil, err != nil && ctx.Err() == nil
	if errors.Is(ctx.Err(), context.Canceled) {
		return answered, ctx.Err()
	}
	return answered, nil
}

// apiRequest is a request as the server would have read it.
func (h *Handlers) apiRequest(ctx context.Context, c echo.Context, request models.ExplorerRequest) (*http.Request, error) {
	base, err := url.Parse(h.apiBase())
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, request.Method, request.Target, strings.NewReader(request.Body))
	if err != nil {
		return nil, fmt.Errorf("making a request of the Explorer: %w", err)
	}
	if request.Body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	r.Host, r.RequestURI, r.RemoteAddr = base.Host, request.Target, c.Request().RemoteAddr
	r.Header.Set("User-Agent", explorerAgent)
	for _, line := range request.Headers {
		if strings.EqualFold(line.Name, "User-Agent") {
			r.Header.Del("User-Agent")
		}
		r.Header.Add(line.Name, line.Value)
	}
	return r, nil
}

func headerLines(header http.Header) []models.HeaderLine {
	var lines []models.HeaderLine
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			lines = append(lines, models.HeaderLine{Name: name, Value: value})
		}
	}
	return lines
}

// spent is what a call has cost. The gateway says it from another goroutine.
type spent struct {
	// mu guards points and known.
	mu     sync.Mutex
	points int64
	known  bool
}

func (s *spent) set(points int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points, s.known = points, true
}

func (s *spent) get() (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.points, s.known
}

// answerScript gives the editor the answer. Its summary is what the page says of it.
func answerScript(c echo.Context, status int, view views.ExplorerView) error {
	c.Response().Header().Set(echo.HeaderContentSecurityPolicy, middleware.DataPolicy)
	if view.Answer == nil {
		return c.JSON(status, map[string]string{"error": view.Problem})
	}
	return c.JSON(status, map[string]string{"summary": view.Answer.Summary(), "body": view.Answer.Text})
}
