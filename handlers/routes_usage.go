package handlers

// usagePages show what a team uses.
func (h *Handlers) usagePages() []Route {
	return []Route{}
}
