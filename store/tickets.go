package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// SaveTicket stores a ticket.
func (s *Store) SaveTicket(ctx context.Context, ticket models.Ticket) error {
	return s.touch(ctx, func(tx *gorm.DB) error { return tx.Create(&ticket).Error })
}

// UseTicket takes a ticket that is good for a route, and with it the row: of many at once
// one gets it, the others models.ErrNotFound. A ticket is found by its hash, whichever
// team's it is: whoever has the value may use it.
func (s *Store) UseTicket(ctx context.Context, hash []byte, route string) (models.Ticket, error) {
	var ticket models.Ticket
	const good = "hash = ? AND (route = '' OR route = ?) AND expires_at > ?"
	// Anybody may ask for a ticket that does not exist; that must not wait for the writer.
	if err := s.read(ctx).Where(good, hash, route, s.now()).Take(&ticket).Error; err != nil {
		return models.Ticket{}, translate(err)
	}
	err := s.touch(ctx, func(tx *gorm.DB) error {
		ticket = models.Ticket{}
		return affected(tx.Raw("DELETE FROM tickets WHERE "+good+" RETURNING hash, token_hash, team_id, route, expires_at", hash, route, s.now()).Scan(&ticket), models.ErrNotFound)
	})
	return ticket, err
}
