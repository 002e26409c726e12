package handlers

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

const (
	// countEvery bounds how often all tokens are counted for a page, countFor how long
	// whoever asked waits for it.
	countEvery = time.Minute
	countFor   = 3 * time.Second
	// testMailFor leaves time to answer within that of a request.
	testMailFor = 12 * time.Second
)

// tokenCounts remembers the last count of all tokens.
type tokenCounts struct {
	// mu guards the others, and lets one count at a time.
	mu     sync.Mutex
	counts []views.TokenKindCount
	at     models.Time
}

func (h *Handlers) adminServer(c echo.Context) error {
	ctx := c.Request().Context()
	status, err := h.Store.Overview(ctx)
	if err != nil {
		return err
	}
	counts, err := h.countTokens(ctx)
	if err != nil {
		return err
	}
	facts := views.ServerFacts{
		Installation: h.Installation, InFile: status.InFile, File: status.Bytes(), Free: status.FreeBytes(), Log: status.WALBytes,
		Users: status.Users, Teams: status.Teams, Applications: status.Applications, ResourceServers: status.ResourceServers, Sessions: status.Sessions,
		Tokens: counts, OwnEmail: actorOf(c).Email,
	}
	if h.Mail.Enabled() {
		server := h.Mail.Server()
		facts.Mail, facts.MailSecurity, facts.MailFrom, facts.MailUser = server.String(), string(server.Security), server.From.String(), server.User != ""
	}
	page, _ := h.page(c)
	return show(c, http.StatusOK, views.AdminServer(page, views.NewAdminServerView(facts, h.clock(c))))
}

// countTokens returns nil where there are too many to count in time.
func (h *Handlers) countTokens(ctx context.Context) ([]views.TokenKindCount, error) {
	h.tokenCounts.mu.Lock()
	defer h.tokenCounts.mu.Unlock()
	now := h.now()
	if at := h.tokenCounts.at; !at.IsZero() && now >= at && now.Sub(at) < countEvery {
		return h.tokenCounts.counts, nil
	}
	limit, cancel := context.WithTimeout(ctx, countFor)
	defer cancel()
	rows, err := h.Store.TokenCounts(limit)
	if err != nil && (ctx.Err() != nil || limit.Err() == nil) {
		return nil, err
	}
	var counts []views.TokenKindCount
	if err == nil {
		counts = make([]views.TokenKindCount, 0, len(rows))
	}
	for _, row := range rows {
		counts = append(counts, views.TokenKindCount{Kind: row.Kind, Active: row.Active, Expired: row.Expired, Revoked: row.Revoked})
	}
	h.tokenCounts.counts, h.tokenCounts.at = counts, now
	return counts, nil
}

// testMail sends a mail to the operator's own address and says what came of it.
func (h *Handlers) testMail(c echo.Context) error {
	actor := actorOf(c)
	if !h.Mail.Enabled() {
		return models.ErrNotFound
	}
	limit, cancel := context.WithTimeout(c.Request().Context(), testMailFor)
	defer cancel()
	text := "This is the test that you asked for in Administration. Mail from Latchkey arrives.\n\n" + h.BaseURL + views.AdminServerPath + "\n"
	said, failed := h.Mail.Try(limit, mail.Message{To: actor.Email, Subject: "Test mail from Latchkey", Text: models.NewSecret(text)})
	outcome, message := "taken", flash{Text: "The mail server took the test mail. It said: " + said}
	if failed != nil {
		outcome, message = "not taken", flash{Tone: "danger", Text: "The test mail did not go out: " + failed.Error() + "."}
	}
	if err := h.Store.TestMailSent(c.Request().Context(), actor, outcome); err != nil && !errors.Is(err, models.ErrUnavailable) {
		return err
	}
	return h.say(c, views.AdminServerPath, message)
}
