package views

import "github.com/latchkey/latchkey/views/layout"

// The pages of what a team uses.
const (
	UsagePath       = layout.UsagePath
	ExportUsagePath = UsagePath + "/export"
)

// Parameters of their addresses.
const (
	// UsageDays is a number of days, or UsagePeriod.
	UsageDays = "days"
	// UsageUnit is what the figures are by: days or hours in the chart, any models.UsageBy in an export.
	UsageUnit = "by"
	// UsagePeriod is the current period of the team's plan.
	UsagePeriod = "period"
)
