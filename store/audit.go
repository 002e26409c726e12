package store

import (
	"context"
	"slices"
	"strings"

	"github.com/latchkey/latchkey/models"
)

// What the retention job has put behind the beginning of a chain does not count any more.
// The plus keeps SQLite from going through the log by number.
const keptEvents = "team_id = ? AND +seq >= (SELECT first_seq FROM audit_chains WHERE team_id = ?)"

// eventFilter is the condition of a query and its parameters.
type eventFilter struct {
	conditions []string
	args       []any
}

func (f *eventFilter) add(condition string, args ...any) {
	f.conditions = append(f.conditions, condition)
	f.args = append(f.args, args...)
}

func (f *eventFilter) text() string { return strings.Join(f.conditions, " AND ") }

// filterEvents picks conditions from those below; what was typed is a parameter of them.
func (s *Store) filterEvents(ctx context.Context, team string, query models.AuditQuery) (eventFilter, error) {
	var f eventFilter
	f.add(keptEvents, team, team)
	if group := slices.IndexFunc(models.AuditGroups, func(g models.AuditGroup) bool { return g.Key == query.Action }); group >= 0 {
		actions, err := s.auditActions(ctx, team)
		if err != nil {
			return f, err
		}
		f.add("action IN ?", ofGroup(actions, query.Action))
	} else if query.Action != "" {
		f.add("action = ?", query.Action)
	}
	switch query.Person {
	case "":
	case models.NoPerson:
		f.add("actor_id = ''")
	default:
		f.add("actor_id = ?", query.Person)
	}
	if query.Application != "" {
		f.add("application_id <> '' AND application_id = ?", query.Application)
	}
	if query.From != 0 {
		f.add("at >= ?", query.From)
	}
	if query.To != 0 {
		f.add("at < ?", query.To)
	}
	if query.Text != "" {
		f.add(`search LIKE ? ESCAPE '\'`, "%"+escapeLike(models.FoldName(query.Text))+"%")
	}
	return f, nil
}

func ofGroup(actions []models.AuditAction, group string) []models.AuditAction {
	// Of an empty list gorm makes IN (NULL), which finds nothing.
	return slices.DeleteFunc(actions, func(a models.AuditAction) bool { return a.Group() != group })
}

// AuditEvents returns up to limit events of the team, newest first, older than
// query.Before where that is set. The empty team is the installation.
func (s *Store) AuditEvents(ctx context.Context, team string, query models.AuditQuery, limit int) ([]models.AuditEvent, error) {
	f, err := s.filterEvents(ctx, team, query)
	if err != nil {
		return nil, err
	}
	order := "at DESC, seq DESC"
	switch {
	case !query.Before.IsZero():
		f.add("(at, seq) < (?, ?)", query.Before.At, query.Before.Seq)
	case !query.After.IsZero():
		f.add("(at, seq) > (?, ?)", query.After.At, query.After.Seq)
		order = "at, seq"
	}
	// The rows themselves are read for those that are shown alone.
	text := "WITH page AS MATERIALIZED (SELECT " + s.sql.place() + " AS place FROM audit_events WHERE " + f.text() + " ORDER BY " + order +
		" LIMIT ?) SELECT e.* FROM page JOIN audit_events e ON e." + s.sql.place() + " = page.place ORDER BY e.at DESC, e.seq DESC"
	var events []models.AuditEvent
	err = s.read(ctx).Raw(text, append(f.args, limit)...).Scan(&events).Error
	return events, translate(err)
}

// AuditPage returns one page of the team's log. Where fewer than a page are newer than
// query.After, it is the first page.
func (s *Store) AuditPage(ctx context.Context, team string, query models.AuditQuery) (models.AuditList, error) {
	var list models.AuditList
	events, err := s.AuditEvents(ctx, team, query, models.AuditPageSize+1)
	if err != nil {
		return list, err
	}
	more := len(events) > models.AuditPageSize
	if !query.After.IsZero() && !more {
		query.After = models.AuditPlace{}
		return s.AuditPage(ctx, team, query)
	}
	switch {
	case more && !query.After.IsZero():
		events = events[1:] // the one more is the newest
	case more:
		events = events[:models.AuditPageSize]
	}
	list.Events = events
	first := query.Before.IsZero() && query.After.IsZero()
	if first && !more {
		list.Total = int64(len(events))
		return list, nil
	}
	if len(events) > 0 {
		if list.Skipped, err = s.countEvents(ctx, team, query, events[0].Place()); err != nil {
			return list, err
		}
	}
	list.Total, err = s.countEvents(ctx, team, query, models.AuditPlace{})
	list.More = query.Filtered() && list.Total > models.CountedEvents
	list.Newer = list.Skipped > 0
	list.Older = more || !query.After.IsZero()
	return list, err
}

// countEvents counts those newer than a place, all where it is none: with a filter no
// further than models.CountedEvents and one.
func (s *Store) countEvents(ctx context.Context, team string, query models.AuditQuery, newer models.AuditPlace) (total int64, err error) {
	if newer.IsZero() && !query.Filtered() {
		chain, err := s.AuditChain(ctx, team)
		return chain.Kept(), err
	}
	f, err := s.filterEvents(ctx, team, query)
	if err != nil {
		return 0, err
	}
	if !newer.IsZero() {
		f.add("(at, seq) > (?, ?)", newer.At, newer.Seq)
	}
	limit := int64(1) << 40
	if query.Filtered() {
		limit = models.CountedEvents + 1
	}
	err = s.read(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM audit_events WHERE "+f.text()+" LIMIT ?) AS counted", append(f.args, limit)...).Scan(&total).Error
	return total, translate(err)
}

// auditActions lists what occurs in a team's log. Each step goes to the next one in the index.
func (s *Store) auditActions(ctx context.Context, team string) ([]models.AuditAction, error) {
	var actions []models.AuditAction
	err := s.read(ctx).Raw(`WITH RECURSIVE found(action) AS (
			SELECT MIN(action) FROM audit_events WHERE team_id = ?
			UNION ALL SELECT (SELECT MIN(action) FROM audit_events WHERE team_id = ? AND action > found.action) FROM found WHERE found.action IS NOT NULL)
		SELECT action FROM found WHERE action IS NOT NULL`, team, team).Scan(&actions).Error
	return actions, translate(err)
}

// AuditChoices lists what a team's log can be filtered by, at most limit persons and
// limit applications.
func (s *Store) AuditChoices(ctx context.Context, team string, limit int) (models.AuditChoices, error) {
	var choices models.AuditChoices
	var err error
	if choices.Actions, err = s.auditActions(ctx, team); err != nil {
		return choices, err
	}
	err = s.read(ctx).Raw(`WITH RECURSIVE found(id) AS (
			SELECT MIN(actor_id) FROM audit_events WHERE team_id = ? AND actor_id > ''
			UNION ALL SELECT (SELECT MIN(actor_id) FROM audit_events WHERE team_id = ? AND actor_id > found.id) FROM found WHERE found.id IS NOT NULL)
		SELECT id, (SELECT actor_name FROM audit_events WHERE team_id = ? AND actor_id = found.id ORDER BY at DESC, seq DESC LIMIT 1) AS name
		FROM found WHERE id IS NOT NULL LIMIT ?`, team, team, team, limit+1).Scan(&choices.Persons).Error
	if err != nil {
		return choices, translate(err)
	}
	err = s.read(ctx).Select("id", "name", "deleted_at").Where("team_id = ?", team).Order("name_key, id").Limit(limit + 1).Find(&choices.Applications).Error
	choices.MorePersons, choices.MoreApplications = len(choices.Persons) > limit, len(choices.Applications) > limit
	choices.Persons = choices.Persons[:min(len(choices.Persons), limit)]
	choices.Applications = choices.Applications[:min(len(choices.Applications), limit)]
	return choices, translate(err)
}

// LoggedApplication finds an application of the team by its ID, also a deleted one.
func (s *Store) LoggedApplication(ctx context.Context, team, id string) (models.Application, error) {
	var app models.Application
	err := s.read(ctx).Select("id", "name", "deleted_at").Where("id = ? AND team_id = ?", id, team).Take(&app).Error
	return app, translate(err)
}

// Refused notes what somebody was not allowed to do: a request, and why.
func (s *Store) Refused(ctx context.Context, actor models.Actor, request, reason string) error {
	return s.write(ctx, actor, models.AuditRefused, func(c change) error {
		c.about("request", "", request)
		c.event.Detail = reason
		return nil
	})
}
