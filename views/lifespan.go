package views

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// customLifespan is the choice that shows the number and its unit.
const customLifespan = "custom"

// defaultLifespan is offered first for a new application.
const defaultLifespan int64 = 5 * 3600

var lifespanPresets = []int64{3600, 5 * 3600, 12 * 3600, 86400, 7 * 86400, 30 * 86400, 90 * 86400, 365 * 86400}

var lifespanUnits = []struct {
	seconds int64
	text    string
}{{1, "seconds"}, {60, "minutes"}, {3600, "hours"}, {86400, "days"}}

// LifespanInput is the three controls for a lifespan, as typed: Choice is a
// number of seconds, "custom" or empty; Custom and Unit count where it is custom.
type LifespanInput struct {
	Choice string // field lifespan
	Custom string // field custom
	Unit   string // field unit, in seconds
}

// Seconds is what models.ApplicationInput and models.TokenInput take as
// Lifespan. What is not a whole number comes back as typed, to be refused there.
func (in LifespanInput) Seconds() string {
	if in.Choice != customLifespan {
		return in.Choice
	}
	if in.Custom == "" {
		return customLifespan // no number: refused, never the default
	}
	number, err := strconv.ParseInt(strings.TrimSpace(in.Custom), 10, 64)
	if err != nil {
		return in.Custom
	}
	unit, err := strconv.ParseInt(in.Unit, 10, 64)
	if err != nil || unit <= 0 || number > math.MaxInt64/unit || number < 0 {
		return "-1"
	}
	return strconv.FormatInt(number*unit, 10)
}

// LifespanOf is the input that stands for a stored lifespan of at most longest seconds.
func LifespanOf(seconds, longest int64) LifespanInput {
	in := LifespanInput{Choice: customLifespan, Unit: "3600"}
	for _, preset := range presetsUpTo(longest) {
		if preset == seconds {
			in.Choice = strconv.FormatInt(seconds, 10)
			return in
		}
	}
	for _, unit := range lifespanUnits {
		if seconds%unit.seconds == 0 {
			in.Unit = strconv.FormatInt(unit.seconds, 10)
			in.Custom = strconv.FormatInt(seconds/unit.seconds, 10)
		}
	}
	return in
}

// customOf shows as Custom what was posted and is not among the presets.
func customOf(posted string) LifespanInput {
	if seconds, err := strconv.ParseInt(posted, 10, 64); err == nil && seconds > 0 {
		return LifespanOf(seconds, 0)
	}
	return LifespanInput{Choice: customLifespan, Custom: posted, Unit: "1"}
}

// LifespanField is the select for a lifespan and the two controls of Custom.
type LifespanField struct {
	Prefix  string
	Label   string
	Hint    string
	Presets []ui.Option
	Custom  string
	Units   []ui.Option
	// Error stands under the select, CustomError under the number.
	Error       string
	CustomError string
}

func (f LifespanField) good() bool { return f.Error == "" && f.CustomError == "" }

func newLifespanField(prefix, label, hint string, presets []ui.Option, in LifespanInput, problem string) LifespanField {
	presets = append(presets, ui.Option{Value: customLifespan, Text: "Custom"})
	chosen := in.Choice
	if in.Choice != "" && !slices.ContainsFunc(presets, func(o ui.Option) bool { return o.Value == in.Choice }) {
		in = customOf(in.Choice)
	}
	field := LifespanField{Prefix: prefix, Label: label, Hint: hint, Custom: in.Custom, Error: problem}
	if chosen == customLifespan {
		field.Error, field.CustomError = "", problem
	}
	field.Presets = presets
	for i := range field.Presets {
		field.Presets[i].Selected = field.Presets[i].Value == in.Choice
	}
	unit := in.Unit
	if unit == "" {
		unit = "3600"
	}
	for _, u := range lifespanUnits {
		value := strconv.FormatInt(u.seconds, 10)
		field.Units = append(field.Units, ui.Option{Value: value, Text: u.text, Selected: value == unit})
	}
	return field
}

func presetsUpTo(longest int64) []int64 {
	var presets []int64
	for _, preset := range lifespanPresets {
		if preset <= longest {
			presets = append(presets, preset)
		}
	}
	return presets
}

func presetOptions(longest int64) []ui.Option {
	var options []ui.Option
	for _, preset := range presetsUpTo(longest) {
		options = append(options, ui.Option{Value: strconv.FormatInt(preset, 10), Text: models.FormatLifespan(preset)})
	}
	return options
}
