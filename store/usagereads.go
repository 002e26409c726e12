package store

import (
	"context"
	"strconv"

	"github.com/latchkey/latchkey/models"
)

// usageSums adds up rows of usageOf.
const usageSums = "SUM(requests) AS requests, SUM(points) AS points, SUM(CASE WHEN status >= 400 THEN requests ELSE 0 END) AS errors"

// usageOf is a span of a team's counters as the table u: hours at its ends where those
// are no whole days, days between. Only hours know tokens.
func usageOf(team, application string, span models.UsageSpan, by models.UsageBy) (with string, args []any) {
	part := func(table, at, token string, from, to models.Time) {
		if from >= to {
			return
		}
		if with != "" {
			with += " UNION ALL "
		}
		unit := table[len("usage_") : len(table)-1]
		with += "SELECT " + at + " AS at, application_id, " + token + " AS token_id, route, api, status, requests, points FROM " + table +
			" WHERE team_id = ? AND " + unit + " >= ? AND " + unit + " < ?"
		args = append(args, team, from, to)
		if application != "" {
			with += " AND application_id = ?"
			args = append(args, application)
		}
	}
	if by == models.UsageByHour || by == models.UsageByToken {
		part("usage_hours", "hour", "token_id", span.From, span.To)
	} else {
		const dayOfHour = "hour - hour % 86400000"
		days := span.Days()
		part("usage_hours", dayOfHour, "''", span.From, min(days.From, span.To))
		part("usage_days", "day", "''", days.From, days.To)
		part("usage_hours", dayOfHour, "''", days.To, span.To)
	}
	if with == "" {
		with = "SELECT 0 AS at, '' AS application_id, '' AS token_id, '' AS route, '' AS api, 0 AS status, 0 AS requests, 0 AS points WHERE FALSE"
	}
	return "WITH u AS (" + with + ") ", args
}

// UsageSeries adds up a team's calls by API version and by day or hour, the first first.
// Times without calls are left out.
func (s *Store) UsageSeries(ctx context.Context, team string, span models.UsageSpan, by models.UsageBy) ([]models.UsagePoint, error) {
	var points []models.UsagePoint
	with, args := usageOf(team, "", span, by)
	err := s.read(ctx).Raw(with+"SELECT at, api, "+usageSums+" FROM u GROUP BY at, api ORDER BY at, api", args...).Scan(&points).Error
	return points, translate(err)
}

// UsageTotal adds up the calls of a team, or of one of its applications.
func (s *Store) UsageTotal(ctx context.Context, team, application string, span models.UsageSpan) (models.UsageSum, error) {
	var sum models.UsageSum
	with, args := usageOf(team, application, span, models.UsageByDay)
	err := s.read(ctx).Raw(with+"SELECT COALESCE(SUM(requests), 0) AS requests, COALESCE(SUM(points), 0) AS points, "+
		"COALESCE(SUM(CASE WHEN status >= 400 THEN requests ELSE 0 END), 0) AS errors FROM u", args...).Scan(&sum).Error
	return sum, translate(err)
}

// usageKeys is what each table groups by, with the name that goes with it.
var usageKeys = map[models.UsageBy]struct{ key, columns, joins string }{
	models.UsageByRoute:  {key: "route"},
	models.UsageByAPI:    {key: "api"},
	models.UsageByStatus: {key: "status"},
	models.UsageByApplication: {
		key:     "application_id",
		columns: ", COALESCE(a.name, '') AS name, a.id IS NOT NULL AS known, COALESCE(a.type = 'built-in', FALSE) AS built_in, COALESCE(a.deleted_at, 1) <> 0 AS deleted",
		joins:   " LEFT JOIN applications a ON a.id = g.key AND a.team_id = ?",
	},
	models.UsageByToken: {
		key: "token_id",
		columns: `, COALESCE(t.name, '') AS name, t.id IS NOT NULL AS known, COALESCE(t.last4, '') AS last4, g.application_id,
			COALESCE(a.name, '') AS application_name, COALESCE(a.type = 'built-in', FALSE) AS built_in, COALESCE(a.deleted_at, 1) <> 0 AS deleted`,
		joins: " LEFT JOIN tokens t ON t.id = g.key AND t.team_id = ? LEFT JOIN applications a ON a.id = g.application_id AND a.team_id = ?",
	},
}

// Usage adds up a team's calls by what it is asked for, at most limit rows of it, those
// with the most points first. Days and hours are for UsageSeries.
func (s *Store) Usage(ctx context.Context, team string, span models.UsageSpan, by models.UsageBy, limit int) (models.UsageTable, error) {
	kind, ok := usageKeys[by]
	if !ok {
		return models.UsageTable{}, models.ErrNotFound
	}
	with, args := usageOf(team, "", span, by)
	group := kind.key
	if by == models.UsageByToken {
		group = "application_id, token_id"
	}
	query := with + ", g AS (SELECT " + kind.key + " AS key, MAX(application_id) AS application_id, " + usageSums + " FROM u GROUP BY " + group + "), " +
		"w AS (SELECT *, COUNT(*) OVER () AS all_rows, SUM(requests) OVER () AS all_requests, SUM(points) OVER () AS all_points, SUM(errors) OVER () AS all_errors FROM g " +
		"ORDER BY points DESC, requests DESC, key, application_id LIMIT " + strconv.Itoa(limit) + ") " +
		"SELECT g.*" + kind.columns + " FROM w AS g" + kind.joins + " ORDER BY points DESC, requests DESC, key, g.application_id"
	if kind.joins != "" {
		args = append(args, team)
	}
	if by == models.UsageByToken {
		args = append(args, team)
	}
	var rows []struct {
		models.UsageRow                            `gorm:"embedded"`
		AllRows, AllRequests, AllPoints, AllErrors int64
	}
	if err := s.read(ctx).Raw(query, args...).Scan(&rows).Error; err != nil {
		return models.UsageTable{}, translate(err)
	}
	var table models.UsageTable
	for i, row := range rows {
		if i == 0 {
			table.Others = row.AllRows - int64(len(rows))
			table.Rest = models.UsageSum{Requests: row.AllRequests, Points: row.AllPoints, Errors: row.AllErrors}
		}
		table.Rows = append(table.Rows, row.UsageRow)
		table.Rest = table.Rest.Plus(models.UsageSum{Requests: -row.Requests, Points: -row.Points, Errors: -row.Errors})
	}
	return table, nil
}

// AnyUsage tells whether a team has ever called an API, as far as that is kept.
func (s *Store) AnyUsage(ctx context.Context, team string) (bool, error) {
	var found bool
	err := s.read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM usage_days WHERE team_id = ?)", team).Scan(&found).Error
	return found, translate(err)
}
