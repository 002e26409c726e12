package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// keepAttention is how long it may lag behind the clock and other processes.
	keepAttention = time.Minute
	maxAttention  = 1000
)

// attention remembers what of a team's applications somebody should look at: to find
// that out takes longer than all else on their page. What this store changes is seen at
// once. While one asks anew, the others go on with what was known.
type attention struct {
	// mu guards byTeam and what asking says.
	mu     sync.Mutex
	byTeam map[string]*noticed
}

type noticed struct {
	models.Attention
	at models.Time
	// asking means that somebody asks anew, unknown that nothing is known so far.
	asking, unknown bool
}

// known returns what is remembered of a team, and whether the caller is to ask anew.
func (a *attention) known(team string, now models.Time) (was *noticed, ask bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was = a.byTeam[team]
	if was == nil {
		if a.byTeam == nil || len(a.byTeam) >= maxAttention {
			a.byTeam = map[string]*noticed{}
		}
		was = &noticed{unknown: true}
		a.byTeam[team] = was
	}
	if was.unknown {
		return was, true
	}
	if was.asking || now >= was.at && now < was.at.Add(keepAttention) {
		return was, false
	}
	was.asking = true
	return was, true
}

// replace stores the answer to a question that began at was, nil for none, unless the
// team was forgotten since.
func (a *attention) replace(team string, was, answer *noticed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.byTeam[team] != was:
	case answer == nil:
		delete(a.byTeam, team)
	default:
		a.byTeam[team] = answer
	}
}

// forget is called after each change.
func (a *attention) forget(team string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.byTeam, team)
}

// Attention is what of a team's applications ends soon or should be looked at. It may be
// a minute old.
func (s *Store) Attention(ctx context.Context, team string) (models.Attention, error) {
	now := s.now()
	was, ask := s.attention.known(team, now)
	if !ask {
		return was.Attention, nil
	}
	found, err := s.askAttention(ctx, team, now)
	if err != nil {
		s.attention.replace(team, was, nil)
		return found, err
	}
	s.attention.replace(team, was, &noticed{Attention: found, at: now})
	return found, nil
}

func (s *Store) askAttention(ctx context.Context, team string, now models.Time) (models.Attention, error) {
	a := models.Attention{EndingOf: map[string]int64{}}
	err := s.each(ctx, "SELECT application_id, COUNT(*) FROM ("+endingThings(s.sql)+") AS ending GROUP BY application_id", endingArgs(team, now), func(row *sql.Rows) error {
		var app string
		var count int64
		err := row.Scan(&app, &count)
		a.EndingOf[app] = count
		a.Ending += count
		return err
	})
	if err != nil {
		return a, err
	}
	if err := s.one(ctx, "SELECT COUNT(*) FROM ("+findings+") AS f", findingArgs(team, now), &a.Findings); err != nil {
		return a, err
	}
	a.Points, err = s.pointsRunOut(ctx, team, now)
	return a, err
}

// pointsRunOut returns how a team stands where people should know of it, else nil.
func (s *Store) pointsRunOut(ctx context.Context, team string, now models.Time) (*models.Standing, error) {
	st := models.Standing{HasPlan: true}
	err := s.one(ctx, `SELECT tp.period_started_at, tp.period_ends_at, tp.ends_at, p.name, p.overage, COALESCE(b.balance, 0), COALESCE(b.period_used, 0)
		FROM team_plans tp JOIN plans p ON p.id = tp.plan_id LEFT JOIN team_points b ON b.team_id = tp.team_id WHERE tp.team_id = (SELECT ?)`, []any{team},
		&st.PeriodStartedAt, &st.PeriodEndsAt, &st.EndsAt, &st.Plan.Name, &st.Plan.Overage, &st.Balance, &st.Used)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	ended := st.Status(now) == models.PointsExpired
	if !ended && st.PointsMark(now) == 0 {
		return nil, nil
	}
	return &st, nil
}
