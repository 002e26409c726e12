package oauth

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tally"
)

// noToken is why a request without a token was refused, beside models.Refusals.
const noToken models.Refusal = "no token"

// Stats counts tokens that were not good, by what was wrong with them.
type Stats struct{ Verify, Introspect map[string]int64 }

// Stats says what was refused so far.
func (h *Handler) Stats() Stats {
	return Stats{Verify: h.unverified.Read(), Introspect: h.inactive.Read()}
}

func refusals() *tally.Names {
	return tally.NewNames(append([]models.Refusal{noToken}, models.Refusals...)...)
}
