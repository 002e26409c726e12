package views

import (
	"slices"
	"strconv"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// ApplicationTyped is the form of an application as typed.
type ApplicationTyped struct {
	Name     string
	Lifespan LifespanInput
	Scopes   []string
	// PointsPerDay is nil where the form has no such field.
	PointsPerDay *string
}

// Input is what the rules check.
func (t ApplicationTyped) Input() models.ApplicationInput {
	return models.ApplicationInput{Name: t.Name, Lifespan: t.Lifespan.Seconds(), Scopes: t.Scopes, PointsPerDay: t.PointsPerDay}
}

// ApplicationForm is the page New application and the page Edit.
type ApplicationForm struct {
	// EditName is the stored name, empty for a new application.
	EditName string
	Action   string
	Back     string
	Submit   string

	Name, NameError string
	Lifespan        LifespanField
	Scopes          []ui.Choice
	ScopesError     string
	ScopesHint      string
	// PointsPerDay is the field of an application that is there already.
	PointsPerDay *ui.Input
	Hidden       []ui.Hidden

	Conflict *ApplicationConflict
}

// ApplicationConflict says what somebody else stored while the form was open.
type ApplicationConflict struct {
	By       string
	When     ui.Moment
	Name     string
	Lifespan string
	Scopes   string
	// PointsPerDay is empty where there is no cap.
	PointsPerDay string
}

// ScopesShown is the field that says that the form offered scopes; without it
// the application keeps those it has.
const ScopesShown = "scopes_shown"

// PointsPerDayField caps what an application spends; a form without it leaves the cap.
const PointsPerDayField = "points_per_day"

const (
	lifespanLabel = "Access tokens expire after"
	lifespanHint  = "How long each new token of this application works. Shorter is safer."
)

// NewNewApplication is the empty form, or with errs the form again as typed.
// once makes a second press do nothing.
func NewNewApplication(typed ApplicationTyped, limits models.Limits, errs models.FieldErrors, once string) ApplicationForm {
	if typed.Lifespan.Choice == "" && len(errs) == 0 {
		typed.Lifespan = LifespanOf(initialLifespan(limits.MaxLifespan), limits.MaxLifespan)
	}
	if len(typed.Scopes) == 0 && len(errs) == 0 && len(limits.Scopes) > 0 {
		typed.Scopes = limits.Scopes[:1]
	}
	form := newApplicationForm("na", typed, limits, errs)
	form.Action, form.Back, form.Submit = ApplicationsPath, ApplicationsPath, "Create application"
	form.Hidden = append(form.Hidden, ui.Hidden{Name: "once", Value: once})
	return form
}

// NewEditApplication is the form with the stored values, or what was typed
// where typed is not nil. conflict says that app changed since the form was opened.
func NewEditApplication(app models.ApplicationDetail, typed *ApplicationTyped, limits models.Limits, errs models.FieldErrors, conflict bool, now Clock) ApplicationForm {
	if typed == nil {
		typed = &ApplicationTyped{
			Name:     app.Name,
			Lifespan: LifespanOf(app.Lifespan, limits.MaxLifespan),
			Scopes:   strings.Fields(app.Scopes),
		}
	}
	form := newApplicationForm("ea", *typed, limits, errs)
	form.PointsPerDay = newPointsPerDay(app.PointsPerDay, typed.PointsPerDay, errs[PointsPerDayField])
	form.EditName = app.Name
	form.Action, form.Back, form.Submit = ApplicationPath(app.ID), ApplicationPath(app.ID), "Save changes"
	form.Hidden = append(form.Hidden, ui.Hidden{Name: "version", Value: strconv.FormatInt(app.Version, 10)})
	if conflict {
		form.Conflict = &ApplicationConflict{By: app.ChangedByName, When: ago(app.ChangedAt, now), Name: app.Name, Lifespan: models.FormatLifespan(app.Lifespan)}
		if len(limits.Scopes) > 1 {
			form.Conflict.Scopes = strings.ReplaceAll(app.Scopes, " ", ", ")
		}
		if app.PointsPerDay > 0 {
			form.Conflict.PointsPerDay = models.FormatNumber(app.PointsPerDay)
		}
	}
	return form
}

func newApplicationForm(prefix string, typed ApplicationTyped, limits models.Limits, errs models.FieldErrors) ApplicationForm {
	form := ApplicationForm{Name: typed.Name, NameError: errs["name"], ScopesError: errs["scopes"]}
	form.Lifespan = newLifespanField(prefix, lifespanLabel, lifespanHint, presetOptions(limits.MaxLifespan), typed.Lifespan, errs["lifespan"])
	if len(limits.Scopes) < 2 {
		return form
	}
	form.Hidden = append(form.Hidden, ui.Hidden{Name: ScopesShown, Value: "1"})
	form.ScopesHint = "What its tokens may be used for. With none chosen: " + limits.Scopes[0] + "."
	for _, scope := range limits.Scopes {
		form.Scopes = append(form.Scopes, ui.Choice{Value: scope, Text: scope, Checked: slices.Contains(typed.Scopes, scope)})
	}
	return form
}

// good tells whether no field below the name is wrong.
func (f ApplicationForm) good() bool {
	return f.Lifespan.good() && f.ScopesError == "" && (f.PointsPerDay == nil || f.PointsPerDay.Error == "")
}

func newPointsPerDay(stored int64, typed *string, problem string) *ui.Input {
	field := &ui.Input{
		ID: "ea-points", Name: PointsPerDayField, Label: "Points per day (optional)", Error: problem, InputMode: "numeric", MaxLength: "20", Autocomplete: "off",
		Hint: "How many points its calls may cost in a day (UTC). Beyond that they are refused until midnight. Empty: no limit but the team’s.",
	}
	if typed != nil {
		field.Value = *typed
	} else if stored > 0 {
		field.Value = strconv.FormatInt(stored, 10)
	}
	return field
}

// initialLifespan is the longest preset that the operator allows, up to the default.
func initialLifespan(longest int64) int64 {
	initial := longest
	for _, preset := range presetsUpTo(min(longest, defaultLifespan)) {
		initial = preset
	}
	return initial
}
