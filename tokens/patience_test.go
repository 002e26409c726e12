package tokens_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

// R5: a look-up that hangs is given up, also for a caller who would wait longer;
// what it was about is neither good nor refused.
func TestLookUpsAreGivenUp(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		hang := func(ctx context.Context) error {
			<-ctx.Done()
			return models.ErrUnavailable
		}
		d := newDesk(t, tokens.Trusted())
		d.store.find = func(ctx context.Context, _ []byte) (models.Bearer, error) { return bearerOf(theValue), hang(ctx) }
		d.store.who = func(ctx context.Context, _ string) (models.Client, error) { return clientWith("right"), hang(ctx) }
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		if grant, err := d.Inspect(ctx, theValue, ""); !errors.Is(err, models.ErrUnavailable) || grant != (tokens.Grant{}) {
			t.Errorf("token: %+v, %v", grant, err)
		}
		client, err := tokens.NewClients(d.store, d.cache).Prove(ctx, "client", presents("right"))
		if client != nil || !errors.Is(err, models.ErrUnavailable) {
			t.Errorf("client: %+v, %v", client, err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("two look-ups took %s", took)
		}
		d.wantsEmpty(t)
	})
}
