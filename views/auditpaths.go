package views

import (
	"net/url"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
)

// The audit log of a team, and that of the installation.
const (
	AuditPath      = layout.AuditPath
	AdminAuditPath = layout.AdminPath + "/audit"
	AuditCSV       = "/export.csv"
	AuditJSONL     = "/export.jsonl"
)

// The fields of the filter, as addresses name them.
const (
	AuditAction      = "action"
	AuditPerson      = "person"
	AuditApplication = "application"
	AuditFrom        = "from"
	AuditTo          = "to"
	AuditText        = "q"
	AuditBefore      = "before"
	AuditAfter       = "after"
)

// AuditOfApplicationPath is the audit log with one application chosen.
func AuditOfApplicationPath(id string) string {
	return withQuery(AuditPath, url.Values{AuditApplication: {id}})
}

// auditQuery is the filter in an address.
func auditQuery(in models.AuditInput) url.Values {
	values := url.Values{}
	for name, value := range map[string]string{
		AuditAction: in.Action, AuditPerson: in.Person, AuditApplication: in.Application, AuditFrom: in.From, AuditTo: in.To, AuditText: in.Text,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

func auditHref(path string, in models.AuditInput, place string, at models.AuditPlace) string {
	values := auditQuery(in)
	values.Set(place, at.String())
	return withQuery(path, values)
}
