package handlers

// explorerPages try the APIs of the gateway.
func (h *Handlers) explorerPages() []Route {
	return []Route{}
}
