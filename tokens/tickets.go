package tokens

import (
	"context"
	"errors"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

const (
	// TicketLife is how long a ticket is good.
	TicketLife = 30 * time.Second
	// ticketPrefix lets scanners find leaked ones.
	ticketPrefix = "lk_tk_"
)

// TicketStore is what Tickets need of the database.
type TicketStore interface {
	// SaveTicket stores a ticket; it is durable when it returns.
	SaveTicket(ctx context.Context, ticket models.Ticket) error
	// UseTicket takes a ticket that is good for a route, once: of many at once one gets it,
	// the others models.ErrNotFound.
	UseTicket(ctx context.Context, hash []byte, route string) (models.Ticket, error)
}

// Tickets trades tokens for what opens one WebSocket. It is safe for concurrent use.
type Tickets struct {
	store    TicketStore
	verifier *Verifier
	now      func() models.Time
}

// NewTickets returns a desk for tickets.
func NewTickets(store TicketStore, verifier *Verifier, now func() models.Time) *Tickets {
	return &Tickets{store: store, verifier: verifier, now: now}
}

// Trade makes a ticket of a good token. It opens that route alone, or any where it is empty.
func (t *Tickets) Trade(ctx context.Context, grant Grant, route string) (models.Secret, error) {
	value := newValue(ticketPrefix)
	return value, t.store.SaveTicket(ctx, models.Ticket{
		Hash: secrets.Hash(value), TokenHash: grant.Hash[:], TeamID: grant.TeamID, Route: route, ExpiresAt: t.now().Add(TicketLife),
	})
}

// Redeem uses up a ticket on a route and says what its token allows. A ticket that is not
// good, or whose token is not any more, gets a RefusedError.
func (t *Tickets) Redeem(ctx context.Context, value models.Secret, route string) (Grant, error) {
	text, hash := value.Reveal(), secrets.Hash(value)
	if !WellFormed(text) {
		return Grant{}, RefusedError{Reason: models.RefusedMalformed, Hash: tokenHash(hash)}
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	ticket, err := t.store.UseTicket(ctx, hash, route)
	if errors.Is(err, models.ErrNotFound) || err == nil && (!secrets.Equal(hash, ticket.Hash) || len(ticket.TokenHash) != len(tokenHash{})) {
		return Grant{}, RefusedError{Reason: models.RefusedUnknown, Hash: tokenHash(hash)}
	}
	if err != nil {
		return Grant{}, err
	}
	return t.verifier.inspect(ctx, t.verifier.cache, tokenHash(ticket.TokenHash), "", ticket.TeamID)
}
