package views

import (
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

func ago(t, now models.Time) ui.Moment {
	if t.IsZero() {
		return ui.Never
	}
	return ui.Ago(t.Std(), now.Std())
}

func until(t, now models.Time) ui.Moment { return ui.Until(t.Std(), now.Std()) }

func day(t models.Time) ui.Moment { return ui.Day(t.Std()) }

func exact(t models.Time) ui.Moment { return ui.Exact(t.Std()) }
