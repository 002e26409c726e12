package handlers

import "github.com/latchkey/latchkey/views"

// refusalPages say why calls were refused.
func (h *Handlers) refusalPages() []Route {
	return []Route{
		{get, views.RefusedPath, view, h.refused},
		{get, views.CheckTokenPath, view, h.checkTokenPage},
		{post, views.CheckTokenPath, view, h.checkToken},
	}
}
