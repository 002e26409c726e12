package handlers

// planPages let operators give plans and points.
func (h *Handlers) planPages() []Route {
	return []Route{}
}
