package handlers

import "github.com/latchkey/latchkey/views"

// usagePages show what a team uses.
func (h *Handlers) usagePages() []Route {
	return []Route{
		{get, views.UsagePath, view, h.usage},
		{get, views.ExportUsagePath, view, h.exportUsage},
	}
}
