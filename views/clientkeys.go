package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// KeysCard lists the public keys of an application.
type KeysCard struct {
	AppName string
	Rows    []KeyItem
	// EmptyText says what the application proves itself by without one.
	EmptyText string
	// AddHref is empty where the role may not or there are as many as may be;
	// Full then says that.
	AddHref string
	Full    string
}

// KeyItem is a row of the table. RemoveHref is empty where the role may not.
type KeyItem struct {
	Name       string
	Kind       string
	Thumbprint string
	Short      string
	Added      ui.Moment
	AddedBy    string
	LastUsed   ui.Moment
	RemoveHref string
}

func newKeysCard(app models.ApplicationDetail, role models.Role, now Clock) KeysCard {
	card := KeysCard{AppName: app.Name, EmptyText: "No public keys. The application proves itself by its client secret."}
	if len(app.Secrets) == 0 {
		card.EmptyText = "No public keys."
	}
	manage := role.May(models.MayManage)
	for _, key := range app.Keys {
		item := KeyItem{
			Name:       key.Name,
			Kind:       key.Description,
			Thumbprint: key.Thumbprint,
			Short:      shortID(key.Thumbprint),
			Added:      ago(key.CreatedAt, now),
			AddedBy:    key.CreatedByName,
			LastUsed:   ago(key.LastUsedAt, now),
		}
		if manage {
			item.RemoveHref = RemoveClientKeyPath(app.ID, key.ID)
		}
		card.Rows = append(card.Rows, item)
	}
	switch {
	case !manage:
	case len(app.Keys) >= models.MaxClientKeys:
		card.Full = "An application has " + models.Count(models.MaxClientKeys, "public key") + " at most. Remove one to add another."
	default:
		card.AddHref = ClientKeysPath(app.ID)
	}
	return card
}

// makePair is how to make a key pair and print the public key.
const makePair = `openssl genpkey -algorithm ed25519 -out key.pem
openssl pkey -in key.pem -pubout`

// ClientKeyTyped is the form Add public key as typed.
type ClientKeyTyped struct {
	Name string
	Key  string
}

// ClientKeyForm is the page Add public key.
type ClientKeyForm struct {
	AppName         string
	Action, Back    string
	Name, NameError string
	Key, KeyError   string
	Hidden          []ui.Hidden
}

// NewClientKeyForm is the empty form, or with errs the form again as typed; once
// makes a second press do nothing.
func NewClientKeyForm(app models.Application, typed ClientKeyTyped, errs models.FieldErrors, once string) ClientKeyForm {
	return ClientKeyForm{
		AppName: app.Name,
		Action:  ClientKeysPath(app.ID),
		Back:    ApplicationPath(app.ID),
		Name:    typed.Name, NameError: errs["name"],
		Key: typed.Key, KeyError: errs["key"],
		Hidden: []ui.Hidden{{Name: "once", Value: once}},
	}
}

// ConfirmRemoveKey asks before a public key is removed.
type ConfirmRemoveKey struct {
	Name       string
	Thumbprint string
	LastUsed   ui.Moment
	// Last says what the removal of the last credential means; empty for any other.
	Last         string
	Action, Back string
}

// NewConfirmRemoveKey asks about one of the keys of app.
func NewConfirmRemoveKey(app models.ApplicationDetail, key models.ClientKey, now Clock) ConfirmRemoveKey {
	page := ConfirmRemoveKey{
		Name:       key.Name,
		Thumbprint: key.Thumbprint,
		LastUsed:   ago(key.LastUsedAt, now),
		Action:     RemoveClientKeyPath(app.ID, key.ID),
		Back:       ApplicationPath(app.ID),
	}
	if len(app.Keys) == 1 && len(app.Secrets) == 0 {
		page.Last = "It is the last public key and there is no client secret: no program will be able to get a token then."
	}
	return page
}

// ConfirmRemoveSecret asks before an application is left with its public keys alone.
type ConfirmRemoveSecret struct {
	Name string
	// OldLast4 is the end of an old secret that still works, empty without one.
	OldLast4     string
	SecretUsed   ui.Moment
	KeyUsed      ui.Moment
	Action, Back string
}

// NewConfirmRemoveSecret says when the secrets and the keys were last used, so
// that nobody removes what is still needed.
func NewConfirmRemoveSecret(app models.ApplicationDetail, now Clock) ConfirmRemoveSecret {
	page := ConfirmRemoveSecret{Name: app.Name, Action: RemoveSecretPath(app.ID), Back: ApplicationPath(app.ID)}
	var secretUsed, keyUsed models.Time
	for _, secret := range app.Secrets {
		secretUsed = max(secretUsed, secret.LastUsedAt)
		if !secret.Current() && secret.Good(now.Time) {
			page.OldLast4 = secret.Last4
		}
	}
	for _, key := range app.Keys {
		keyUsed = max(keyUsed, key.LastUsedAt)
	}
	page.SecretUsed, page.KeyUsed = ago(secretUsed, now), ago(keyUsed, now)
	return page
}
