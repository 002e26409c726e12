package tokens

import (
	"context"
	"errors"

	"github.com/latchkey/latchkey/models"
)

// Clients finds who calls an endpoint. It is safe for concurrent use.
type Clients struct {
	store Store
	cache *Cache
}

// NewClients returns clients that are remembered in cache once they proved themselves.
func NewClients(store Store, cache *Cache) *Clients { return &Clients{store: store, cache: cache} }

// Prove finds a client and has check compare what it presented. It returns
// models.ErrNotFound where there is no such client or check refuses it. A refusal
// always comes from the store: what is remembered may say yes, never no. So a
// client that does not exist costs what a wrong proof costs; check gets an empty
// one then. The client is shared: nobody may change it.
func (c *Clients) Prove(ctx context.Context, clientID string, check func(client *models.Client) bool) (*models.Client, error) {
	if client, ok := c.cache.client(clientID); ok && check(client) {
		return client, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	began := c.cache.notices.Load()
	client, err := c.store.ClientByID(ctx, clientID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return nil, err
	}
	if !check(&client) || err != nil {
		return nil, models.ErrNotFound
	}
	c.cache.keepClient(began, &client)
	return &client, nil
}
