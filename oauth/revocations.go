package oauth

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/tokens"
)

const (
	// feedFor is how long a stream goes on: as_of is told on our stopwatch and compared with
	// the client's, and no two run alike. The client comes again and goes on where it left.
	feedFor = 5 * time.Minute
	// feedBegins is how long the first word may take.
	feedBegins = 2 * time.Second
	// feedStall is how long a client may leave what is written unread.
	feedStall = 5 * time.Second
	// reproveEvery is how often the credentials of a stream are looked at again. With how
	// late a cache may know, it stays below a second.
	reproveEvery = 200 * time.Millisecond
)

var (
	errNotForApplications = &Error{Status: http.StatusBadRequest, Code: "unauthorized_client", Description: "Only a resource server may follow the revocations."}
	errFeedEnds           = errors.New("the credentials have ended")
)

// feed is one stream of revocations.
type feed struct {
	c        echo.Context
	control  *http.ResponseController
	follower *tokens.Follower
	client   *models.Client
	// began is when the request was there: as_of counts from it. provenAt counts too.
	began, provenAt time.Time
}

// revocations has a resource server hear what it must forget, for as long as it listens:
// docs/guard.md describes the events.
func (h *Handler) revocations(c echo.Context) error {
	began := time.Now() //nolint:forbidigo // a stopwatch, not the time of day
	client, err := h.client(c, nil)
	if err != nil {
		return err
	}
	if !client.IsResourceServer() {
		return errNotForApplications
	}
	from, knows := models.ParsePosition(c.Request().Header.Get("Last-Event-ID"))
	follower, err := h.Revocations.Follow(client.ClientID, from, knows)
	switch {
	case errors.Is(err, tokens.ErrTooManyFollowers):
		return retryError{wait: time.Second, of: "streams of revocations", text: "Too many streams of revocations are open. Close one, or wait as long as Retry-After says."}
	case err != nil:
		return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
	}
	defer follower.Close()
	first, err := firstWord(c.Request().Context(), follower)
	if err != nil {
		return fmt.Errorf("%w: %w", models.ErrUnavailable, err)
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentType, "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // nginx would keep events back
	f := feed{c: c, control: http.NewResponseController(c.Response()), follower: follower, client: client, began: began, provenAt: began}
	_ = f.control.SetReadDeadline(time.Time{}) // it was the request's, and would end the stream
	c.Response().WriteHeader(http.StatusOK)
	middleware.Annotate(c, "ended", h.stream(f, first).Error())
	return nil
}

func firstWord(ctx context.Context, follower *tokens.Follower) (tokens.Told, error) {
	ctx, cancel := context.WithTimeout(ctx, feedBegins)
	defer cancel()
	return follower.Next(ctx)
}

// stream passes on what is told, until it ends, and returns why.
func (h *Handler) stream(f feed, told tokens.Told) error {
	ctx, cancel := context.WithTimeout(f.c.Request().Context(), feedFor)
	defer cancel()
	for {
		now := time.Now() //nolint:forbidigo // see feed.began
		if now.Sub(f.provenAt) >= reproveEvery {
			if err := h.reprove(ctx, f.client); err != nil {
				return err
			}
			f.provenAt = now
		}
		_ = f.control.SetWriteDeadline(now.Add(feedStall))
		if _, err := f.c.Response().Write(render(told, f.began)); err != nil {
			return err
		}
		if err := f.control.Flush(); err != nil {
			return err
		}
		var err error
		if told, err = f.follower.Next(ctx); err != nil {
			return err
		}
	}
}

// reprove fails where the resource server was removed or has another secret.
func (h *Handler) reprove(ctx context.Context, client *models.Client) error {
	_, err := h.Clients.Prove(ctx, client.ClientID, func(now *models.Client) bool {
		return now.IsResourceServer() && secrets.Equal(now.ResourceServer.Hash, client.ResourceServer.Hash)
	})
	if errors.Is(err, models.ErrNotFound) {
		return errFeedEnds
	}
	return err
}

// render writes events. What it writes of the database are IDs and hashes.
func render(told tokens.Told, began time.Time) []byte {
	var b bytes.Buffer
	event := func(position, name string, data map[string]any) {
		text, _ := json.Marshal(data) // of strings and numbers
		if position != "" {
			position = "id: " + position + "\n"
		}
		fmt.Fprintf(&b, "%sevent: %s\ndata: %s\n\n", position, name, text)
	}
	if told.Reset {
		event(told.At.String(), "reset", map[string]any{})
	}
	for _, entry := range told.Entries {
		position := entry.String()
		switch {
		case len(entry.TokenHash) > 0:
			event(position, "token", map[string]any{"sha256": base64.RawURLEncoding.EncodeToString(entry.TokenHash), "jti": entry.TokenID})
		case entry.ApplicationID != "":
			event(position, "application", map[string]any{"application": entry.ApplicationID})
		default:
			event(position, "team", map[string]any{"team": entry.TeamID})
		}
	}
	if told.Current {
		event("", "heartbeat", map[string]any{"as_of": told.AsOf.Sub(began).Milliseconds()})
	}
	return b.Bytes()
}
