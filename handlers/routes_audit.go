package handlers

import (
	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/views/layout"
)

// auditPages are the log of the team and that of the installation.
func (h *Handlers) auditPages() []Route {
	operator := Access{Operator: true}
	return []Route{
		{get, views.AuditPath, view, h.onLog(teamLog, h.showLog)},
		{get, views.AuditPath + views.AuditCSV, view, h.onLog(teamLog, h.exportCSV)},
		{get, views.AuditPath + views.AuditJSONL, view, h.onLog(teamLog, h.exportJSONL)},
		{get, views.AdminAuditPath, operator, h.onLog(installationLog, h.showLog)},
		{get, views.AdminAuditPath + views.AuditCSV, operator, h.onLog(installationLog, h.exportCSV)},
		{get, views.AdminAuditPath + views.AuditJSONL, operator, h.onLog(installationLog, h.exportJSONL)},
	}
}

// auditLog is whose log a request is about, and where it is shown.
type auditLog struct {
	team, path string
	nav        layout.Nav
}

func teamLog(c echo.Context) auditLog {
	return auditLog{team: actorOf(c).TeamID, path: views.AuditPath, nav: layout.NavAudit}
}

// installationLog is of what was done outside of any team.
func installationLog(echo.Context) auditLog {
	return auditLog{path: views.AdminAuditPath, nav: layout.NavAdminBelow}
}

func (*Handlers) onLog(of func(echo.Context) auditLog, handle func(echo.Context, auditLog) error) echo.HandlerFunc {
	return func(c echo.Context) error { return handle(c, of(c)) }
}
