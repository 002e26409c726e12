package handlers

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/middleware"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views"
)

// maxExportedUsage is how many rows an export has at most; what is beyond is one more row.
const maxExportedUsage = 10_000

// exportUsage sends the figures of a period as RFC 4180, whole: what goes wrong on the way
// is an error page.
func (h *Handlers) exportUsage(c echo.Context) error {
	if _, wait := h.exports.Take(actorOf(c).UserID); wait > 0 {
		return echo.NewHTTPError(slowDown(c, wait))
	}
	if !h.exporting.enter(actorOf(c).UserID, exportsAtOnce) {
		return echo.NewHTTPError(slowDown(c, exportPatience))
	}
	defer h.exporting.leave(actorOf(c).UserID)
	team, by := actorOf(c).TeamID, views.UsageExportBy(c.QueryParam(views.UsageUnit))
	standing, err := h.Meter.Standing(c.Request().Context(), team)
	if err != nil {
		return err
	}
	choice := views.NewUsageChoice(c.QueryParam(views.UsageDays), "", standing, h.now())
	rows, err := h.usageRows(c, choice.Span, by)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	out := csv.NewWriter(&file)
	out.UseCRLF = true
	for _, row := range rows {
		for i := range row {
			row[i] = noFormula(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	header := c.Response().Header()
	header.Set(echo.HeaderContentDisposition, `attachment; filename="latchkey-usage-by-`+string(by)+"-"+h.Now().UTC().Format("20060102-150405")+`.csv"`)
	header.Set(echo.HeaderContentSecurityPolicy, middleware.DataPolicy)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8; header=present", file.Bytes())
}

// usageRows are the head and the rows of an export.
func (h *Handlers) usageRows(c echo.Context, span models.UsageSpan, by models.UsageBy) ([][]string, error) {
	ctx, team := c.Request().Context(), actorOf(c).TeamID
	sums := []string{"requests", "points", "errors"}
	if by.IsTime() {
		series, err := h.Store.UsageSeries(ctx, team, span, by)
		rows := [][]string{append([]string{string(by) + "_utc", "api"}, sums...)}
		for _, p := range series {
			rows = append(rows, append([]string{p.At.Std().Format(exportTime), p.API}, sumFields(p.UsageSum)...))
		}
		return rows, err
	}
	table, err := h.Store.Usage(ctx, team, span, by, maxExportedUsage)
	rows := [][]string{append(usageHead(by), sums...)}
	for _, row := range table.Rows {
		rows = append(rows, append(usageNames(by, row), sumFields(row.UsageSum)...))
	}
	if table.Others > 0 {
		names := make([]string, len(usageHead(by)))
		names[0] = models.FormatNumber(table.Others) + " others"
		rows = append(rows, append(names, sumFields(table.Rest)...))
	}
	return rows, err
}

func usageHead(by models.UsageBy) []string {
	switch by {
	case models.UsageByApplication:
		return []string{"application_id", "application", "deleted"}
	case models.UsageByToken:
		return []string{"token_id", "token", "last4", "application_id", "application", "deleted"}
	}
	return []string{string(by)}
}

func usageNames(by models.UsageBy, row models.UsageRow) []string {
	switch by {
	case models.UsageByApplication:
		return []string{row.Key, views.UsageApplicationName(row.Name, row.BuiltIn), strconv.FormatBool(row.Deleted)}
	case models.UsageByToken:
		return []string{row.Key, row.Name, row.Last4, row.ApplicationID, views.UsageApplicationName(row.ApplicationName, row.BuiltIn), strconv.FormatBool(row.Deleted)}
	}
	return []string{row.Key}
}

func sumFields(sum models.UsageSum) []string {
	return []string{strconv.FormatInt(sum.Requests, 10), strconv.FormatInt(sum.Points, 10), strconv.FormatInt(sum.Errors, 10)}
}
