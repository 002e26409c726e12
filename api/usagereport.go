package api

import (
	"context"

	"github.com/latchkey/latchkey/models"
)

// usageReport is the answer. Its names are those of Bitquery's Usage API where they fit;
// they are added to, never renamed.
type usageReport struct {
	AccountID     string              `json:"account_id"`
	PayerID       string              `json:"payer_id"`
	Status        models.PointsStatus `json:"status"`
	BillingPeriod billingPeriod       `json:"billing_period"`
	// PointsLeft is null without a plan, below zero in grace.
	PointsLeft    *int64     `json:"points_left"`
	ByAPI         []usageRow `json:"by_api"`
	ByApplication []usageRow `json:"by_application"`
	// Range and Usage are there where they were asked for.
	Range *usageRange `json:"range,omitempty"`
	Usage []usageRow  `json:"usage,omitempty"`
}

type billingPeriod struct {
	StartedAt string `json:"started_at"`
	EndedAt   string `json:"ended_at"`
	// PlanName and Limits are null without a plan.
	PlanName *string      `json:"plan_name"`
	Limits   usageLimit   `json:"limits"`
	Usage    usageFigures `json:"usage"`
}

// usageLimit is null where there is no limit.
type usageLimit struct {
	// Points are the plan's of this period; what was bought is not among them.
	Points *int64 `json:"points_limit"`
	// Rate is in requests a minute.
	Rate    *int64 `json:"rate_limit"`
	Streams *int64 `json:"streams_limit"`
	Members *int64 `json:"members_limit"`
}

type usageFigures struct {
	Points   int64 `json:"points_usage"`
	Requests int64 `json:"requests_usage"`
}

type usageRange struct {
	From string         `json:"from"`
	To   string         `json:"to"`
	By   models.UsageBy `json:"by"`
}

// usageRow has the fields of what it is by, and the figures.
type usageRow struct {
	From          string  `json:"from,omitempty"`
	API           string  `json:"api,omitempty"`
	Route         string  `json:"route,omitempty"`
	TokenID       *string `json:"token_id,omitempty"`
	Token         *string `json:"token,omitempty"`
	ApplicationID *string `json:"application_id,omitempty"`
	Application   *string `json:"application,omitempty"`
	Deleted       *bool   `json:"deleted,omitempty"`
	// Others counts the rows that this one stands for.
	Others   int64 `json:"others,omitempty"`
	Points   int64 `json:"points_usage"`
	Requests int64 `json:"requests_usage"`
	Errors   int64 `json:"errors"`
}

func limitsOf(st models.Standing) usageLimit {
	positive := func(n int64) *int64 {
		if n <= 0 {
			return nil
		}
		return &n
	}
	return usageLimit{Points: &st.Granted, Rate: positive(st.Plan.RateLimit), Streams: positive(st.Plan.Streams), Members: positive(st.Plan.Members)}
}

func apiRow(row models.UsageRow) usageRow   { return usageRow{API: row.Key} }
func routeRow(row models.UsageRow) usageRow { return usageRow{Route: row.Key} }

func applicationRow(row models.UsageRow) usageRow {
	name := nameOf(row.Name, row.BuiltIn)
	return usageRow{ApplicationID: &row.Key, Application: &name, Deleted: &row.Deleted}
}

// tokenRow has an empty token_id for tokens that were not counted one by one.
func tokenRow(row models.UsageRow) usageRow {
	name := nameOf(row.ApplicationName, row.BuiltIn)
	return usageRow{TokenID: &row.Key, Token: &row.Name, ApplicationID: &row.ApplicationID, Application: &name, Deleted: &row.Deleted}
}

// nameOf is what people call an application, also one of which nothing is left.
func nameOf(name string, builtIn bool) string {
	switch {
	case builtIn:
		return "Temporary token"
	case name == "":
		return "Deleted application"
	}
	return name
}

func rowsOf(table models.UsageTable, name func(models.UsageRow) usageRow) []usageRow {
	rows := []usageRow{}
	for _, row := range table.Rows {
		rows = append(rows, name(row).with(row.UsageSum))
	}
	if table.Others > 0 {
		rows = append(rows, usageRow{Others: table.Others}.with(table.Rest))
	}
	return rows
}

func (r usageRow) with(sum models.UsageSum) usageRow {
	r.Points, r.Requests, r.Errors = sum.Points, sum.Requests, sum.Errors
	return r
}

// usageOf is what was asked for with from, to and by. Days and hours without calls are left out.
func (h *Handler) usageOf(ctx context.Context, team string, query usageQuery) ([]usageRow, error) {
	names := map[models.UsageBy]func(models.UsageRow) usageRow{
		models.UsageByApplication: applicationRow, models.UsageByToken: tokenRow, models.UsageByRoute: routeRow,
	}
	if name := names[query.by]; name != nil {
		table, err := h.Store.Usage(ctx, team, query.span, query.by, usageRows)
		return rowsOf(table, name), err
	}
	series, err := h.Store.UsageSeries(ctx, team, query.span, query.by)
	rows := []usageRow{}
	var sum models.UsageSum
	for i, point := range series {
		sum = sum.Plus(point.UsageSum)
		if i+1 < len(series) && series[i+1].At == point.At {
			continue
		}
		rows = append(rows, usageRow{From: moment(point.At)}.with(sum))
		sum = models.UsageSum{}
	}
	return rows, err
}
