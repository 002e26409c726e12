package tokens

import (
	"context"
	"errors"
	"reflect"

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
// one then. Who hangs up early is checked all the same: a guess that nobody waits for
// has to count. The client is shared: nobody may change it.
func (c *Clients) Prove(ctx context.Context, clientID string, check func(client *models.Client) bool) (*models.Client, error) {
	remembered, ok := c.cache.client(clientID)
	if ok && check(remembered) {
		c.cache.asked.clientHits.Add(1)
		return remembered, nil
	}
	c.cache.asked.clientMisses.Add(1)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	began := c.cache.notices.Load()
	client, err := c.store.ClientByID(ctx, clientID)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return nil, err
	}
	// Once is enough: a second check would tell by its time that the client is remembered.
	if ok && reflect.DeepEqual(remembered.Proofs, client.Proofs) || !check(&client) || err != nil {
		return nil, models.ErrNotFound
	}
	c.cache.keepClient(began, &client)
	return &client, nil
}
