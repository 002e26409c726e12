package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxAnswer = 64 << 10
	// refusedHold is for how long Latchkey is left alone that refuses our credentials.
	refusedHold, maxHold = 5 * time.Second, time.Minute
)

// introspection is the answer (RFC 7662 section 2.2), and Latchkey's own members.
type introspection struct {
	Active      bool   `json:"active"`
	Scope       string `json:"scope"`
	ClientID    string `json:"client_id"`
	Exp         int64  `json:"exp"`
	Iat         int64  `json:"iat"`
	Jti         string `json:"jti"`
	Team        string `json:"team"`
	Application string `json:"application"`
	// date is Latchkey's clock, in whole seconds.
	date time.Time
}

func (i introspection) token() Token {
	return Token{
		ID: i.Jti, Team: i.Team, Application: i.Application, ClientID: i.ClientID, Scope: i.Scope,
		IssuedAt: time.Unix(i.Iat, 0), ExpiresAt: time.Unix(i.Exp, 0),
	}
}

// left is how long the token is surely good after a moment before the question, on either
// machine's clock: none where they disagree about it, and then each call is asked about.
func (i introspection) left(asked time.Time) time.Duration {
	if i.Application == "" || i.Team == "" {
		return 0 // nothing announced could be told to be about it
	}
	ends := time.Unix(i.Exp, 0)
	return min(ends.Sub(i.date.Add(time.Second)), ends.Sub(asked))
}

// introspect asks Latchkey. It will have no answer from the memory of a node, which may not
// have heard what we have.
func (g *Guard) introspect(ctx context.Context, value string) (introspection, error) {
	var found introspection
	body := strings.NewReader(url.Values{"token": {value}, "token_type_hint": {"access_token"}}.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.base+"/oauth2/introspect", body)
	if err != nil {
		return found, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	request.Header = http.Header{
		"Authorization": {g.authorization}, "Content-Type": {"application/x-www-form-urlencoded"},
		"Accept": {"application/json"}, "Cache-Control": {"no-cache"},
	}
	response, err := g.asking.Do(request)
	if err != nil {
		return found, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return found, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if response.StatusCode != http.StatusOK {
		g.hold(response)
		return found, fmt.Errorf("%w: Latchkey answered %d", ErrUnavailable, response.StatusCode)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return introspection{}, fmt.Errorf("%w: the answer is not Latchkey's: %w", ErrUnavailable, err)
	}
	if found.date, err = http.ParseTime(response.Header.Get("Date")); err != nil {
		found.date = time.Now()
	}
	return found, nil
}

// hold asks nothing for a while where Latchkey refuses this guard rather than a token.
func (g *Guard) hold(response *http.Response) {
	wait := refusedHold
	switch response.StatusCode {
	case http.StatusUnauthorized:
	case http.StatusTooManyRequests:
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
			wait = min(max(time.Duration(seconds)*time.Second, time.Second), maxHold)
		}
	default:
		return
	}
	now := g.cache.elapsed()
	if before := g.heldUntil.Swap(now + int64(wait)); before <= now {
		g.log.Error("Latchkey refuses this resource server: check ClientID and ClientSecret", "status", response.StatusCode)
	}
}
