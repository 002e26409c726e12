package handlers

// refusalPages say why calls were refused.
func (h *Handlers) refusalPages() []Route {
	return []Route{}
}
