package tokens

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// Temporary returns the actor's temporary token in their team and its value: the one of
// now, or a new one with these scopes where there is none yet. However many ask at once, all
// get the same. Who may not see values gives models.ErrForbidden, a team that switched
// temporary tokens off models.ErrConflict.
func (i *Issuer) Temporary(ctx context.Context, actor models.Actor, scopes string) (models.Token, models.Secret, error) {
	now := i.now()
	ends := models.NewRotation(i.longest).Ends(now)
	token, err := i.store.TemporaryToken(ctx, actor.TeamID, actor.UserID, ends)
	if errors.Is(err, models.ErrNotFound) {
		token, err = i.makeTemporary(ctx, actor, scopes, now, ends)
	}
	if err != nil {
		return models.Token{}, models.Secret{}, err
	}
	value, err := i.Open(token)
	return token, value, err
}

func (i *Issuer) makeTemporary(ctx context.Context, actor models.Actor, scopes string, now, ends models.Time) (models.Token, error) {
	value, id := newValue(i.prefix), uuid.Must(uuid.NewV7()).String()
	sealed, err := i.keys.Seal(value, tokenPlace(id))
	if err != nil {
		return models.Token{}, err
	}
	token, err := i.store.CreateTemporaryToken(ctx, actor, models.Token{
		ID: id, Kind: models.KindTemporary, TeamID: actor.TeamID, Hash: secrets.Hash(value), Sealed: sealed, Last4: value.Last4(),
		Scopes: scopes, CreatedAt: now, ExpiresAt: ends,
	})
	if token.ID == id {
		i.temporary.Add(1)
	}
	return token, err
}
