package store

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// SaveRefusedCalls adds to what is kept of refused calls.
func (s *Store) SaveRefusedCalls(context.Context, []models.RefusedCall) error { return nil }
