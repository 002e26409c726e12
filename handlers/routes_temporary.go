package handlers

import "github.com/latchkey/latchkey/views"

// temporaryPages are about the temporary token.
func (h *Handlers) temporaryPages() []Route {
	return []Route{
		{post, views.RevealTemporaryPath, reveal, h.revealTemporary},
		// Not Fresh: a value that others have got hold of has to go at once.
		{get, views.ReplaceTemporaryPath, manage, h.replaceTemporaryPage},
		{post, views.ReplaceTemporaryPath, manage, h.replaceTemporary},
	}
}
