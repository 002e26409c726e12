package views

import (
	"strings"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/ui"
)

// Clock is the moment at which a page is made, and the time zone that its reader chose.
type Clock struct {
	models.Time
	// Zone is nil for UTC.
	Zone *time.Location
}

// in puts a time into the reader's zone.
func (c Clock) in(t models.Time) time.Time {
	if c.Zone == nil {
		return t.Std().UTC()
	}
	return t.Std().In(c.Zone)
}

// zoneName is the zone as a page writes it.
func (c Clock) zoneName() string {
	if c.Zone == nil {
		return "UTC"
	}
	return ZoneName(c.Zone.String())
}

// ZoneName is the IANA name of a zone in words; empty is UTC.
func ZoneName(name string) string {
	if name == "" {
		return "UTC"
	}
	return strings.ReplaceAll(name, "_", " ")
}

func ago(t models.Time, now Clock) ui.Moment {
	if t.IsZero() {
		return ui.Never
	}
	return ui.Ago(t.Std(), now.in(now.Time))
}

func until(t models.Time, now Clock) ui.Moment { return ui.Until(t.Std(), now.in(now.Time)) }

func day(t models.Time, now Clock) ui.Moment { return ui.Day(now.in(t)) }

func exact(t models.Time, now Clock) ui.Moment { return ui.Exact(now.in(t)) }

// Exact is the moment itself, for where no page is.
func (c Clock) Exact() ui.Moment { return exact(c.Time, c) }
