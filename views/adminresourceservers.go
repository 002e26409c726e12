package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// AdminResourceServersList is the page Resource servers.
type AdminResourceServersList struct{ Rows []AdminResourceServerItem }

// AdminResourceServerItem is a row.
type AdminResourceServerItem struct {
	Name                   string
	ClientID, ShortID      string
	Added, LastUsed        ui.Moment
	RotateHref, RemoveHref string
}

var adminResourceServerColumns = []ui.Column{{Text: "Name"}, {Text: "Client ID"}, {Text: "Added"}, {Text: "Last used"}, {Text: "Actions", Hidden: true}}

// NewAdminResourceServersList shows all of them.
func NewAdminResourceServersList(servers []models.ResourceServer, now Clock) AdminResourceServersList {
	var page AdminResourceServersList
	for _, server := range servers {
		page.Rows = append(page.Rows, AdminResourceServerItem{
			Name: server.Name, ClientID: server.ClientID, ShortID: shortID(server.ClientID), Added: day(server.CreatedAt, now), LastUsed: ago(server.LastUsedAt, now),
			RotateHref: RotateResourceServerPath(server.ID), RemoveHref: RemoveResourceServerPath(server.ID),
		})
	}
	return page
}

// NewResourceServerForm is the form behind Add resource server.
type NewResourceServerForm struct{ Name, NameError string }

// NewConfirmRotateResourceServer asks before the old secret ends.
func NewConfirmRotateResourceServer(server models.ResourceServer) AdminConfirm {
	return AdminConfirm{
		ID: "rr", Verb: "Rotate the secret of", Name: server.Name, End: "?",
		Lead:   "It gets a new secret with the same client ID.",
		Facts:  []string{"The old secret stops working at once. Until the API has the new one, it cannot check tokens."},
		Submit: "Rotate secret", Tone: "danger", Action: RotateResourceServerPath(server.ID), Back: AdminResourceServersPath,
	}
}

// NewConfirmRemoveResourceServer asks before it may ask no more.
func NewConfirmRemoveResourceServer(server models.ResourceServer) AdminConfirm {
	return AdminConfirm{
		ID: "rx", Verb: "Remove", Name: server.Name, End: "?",
		Lead:   "You cannot undo this. Add it again to give it a new client ID and secret.",
		Facts:  []string{"Its questions about tokens are refused at once."},
		Submit: "Remove resource server", Tone: "danger", Action: RemoveResourceServerPath(server.ID), Back: AdminResourceServersPath,
	}
}

// NewResourceServerShown is the answer with the secret.
func NewResourceServerShown(server models.ResourceServer, secret models.Secret) AdminShown {
	return AdminShown{
		Heading: "Resource server credentials", Name: server.Name, Text: "asks about tokens at /oauth2/introspect with these.",
		Values: []ShownValue{{Label: "Client ID", Plain: server.ClientID}, {Label: "Client secret", Secret: secret}}, Back: AdminResourceServersPath,
	}
}
