package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// TokenTyped is the form Generate New Token as typed.
type TokenTyped struct {
	Name     string
	Lifespan LifespanInput
}

// Input is what the rules check.
func (t TokenTyped) Input() models.TokenInput {
	return models.TokenInput{Name: t.Name, Lifespan: t.Lifespan.Seconds()}
}

// GenerateTokenForm is the page Generate New Token.
type GenerateTokenForm struct {
	AppName         string
	Action, Back    string
	Name, NameError string
	Lifespan        LifespanField
	Hidden          []ui.Hidden
}

// NewGenerateTokenForm is the empty form, or with errs the form again as typed.
// from is FromTokens where the form was opened on the Tokens page, else empty;
// once makes a second press do nothing.
func NewGenerateTokenForm(app models.Application, typed TokenTyped, errs models.FieldErrors, once, from string) GenerateTokenForm {
	form := GenerateTokenForm{
		AppName: app.Name,
		Action:  GenerateTokenPath(app.ID),
		Back:    tokensBack(app.ID, from),
		Name:    typed.Name, NameError: errs["name"],
		Hidden: []ui.Hidden{{Name: "once", Value: once}},
	}
	if from == FromTokens {
		form.Hidden = append(form.Hidden, ui.Hidden{Name: "from", Value: from})
	}
	presets := []ui.Option{{Value: "", Text: "As the application: " + models.FormatLifespan(app.Lifespan)}}
	presets = append(presets, presetOptions(app.Lifespan-1)...)
	form.Lifespan = newLifespanField("gt", "Expires after", "No longer than the application’s tokens live.", presets, typed.Lifespan, errs["lifespan"])
	return form
}

// tokensBack is the page from which a deed on tokens was asked for.
func tokensBack(id, from string) string {
	if from == FromTokens {
		return TokensOfPath(id)
	}
	return ApplicationPath(id)
}
