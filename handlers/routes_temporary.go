package handlers

// temporaryPages are about the temporary token.
func (h *Handlers) temporaryPages() []Route {
	return []Route{}
}
