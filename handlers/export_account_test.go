package handlers

import "github.com/latchkey/latchkey/mail"

// UseOutbox has mail about accounts go to another place.
func (h *Handlers) UseOutbox(o interface {
	Enabled() bool
	Send(message mail.Message)
},
) {
	h.outbox = o
}
