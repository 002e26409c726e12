package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// change is an open transaction. One moment holds for the whole of it.
type change struct {
	*gorm.DB
	now   models.Time
	event *models.AuditEvent
	// notices collects what caches must forget.
	notices *[]models.Notice
}

const keepFormPosts = 24 * time.Hour

// errNothingToDo rolls the transaction back without an error and without an
// audit event: the object is already as asked for.
var errNothingToDo = errors.New("nothing to do")

// write is the only way to change what people see. It opens the transaction,
// runs fn, adds the audit event that fn may complete, and commits: a change
// without its event, or an event without its change, cannot be written. fn may run
// again, from its beginning: what it sets outside, it sets whole.
func (s *Store) write(ctx context.Context, actor models.Actor, action models.AuditAction, fn func(c change) error) error {
	var notices []models.Notice
	var teams []string
	err := s.transact(ctx, func(tx *gorm.DB) error {
		notices = nil
		c := change{DB: tx, now: s.now(), event: newEvent(actor, action), notices: &notices}
		c.event.At = c.now
		err := fn(c)
		teams = []string{actor.TeamID, c.event.TeamID} // an operator's deed is about another team
		if err != nil {
			return err
		}
		if err := c.record(); err != nil {
			return err
		}
		if err := c.publish(); err != nil {
			return err
		}
		return s.engine.carry(tx, teams, notices)
	})
	// A commit that failed may have reached the disk all the same.
	s.tell(notices)
	for _, team := range teams {
		s.attention.forget(team)
	}
	s.engine.committed()
	if errors.Is(err, errNothingToDo) {
		return nil
	}
	return translate(err)
}

// touch changes what is not audited, and deletes what has ended: sessions seen,
// assertions used. Tokens issued at the endpoint have a way of their own, InsertTokens.
func (s *Store) touch(ctx context.Context, fn func(tx *gorm.DB) error) error {
	defer s.engine.committed()
	return translate(s.transact(ctx, fn))
}

// count is touch for what comes to the same in whatever order nodes do it, as sums and
// latest times do. It is in nobody's way for longer than a statement takes, and nothing
// that it reads decides what it writes.
func (s *Store) count(ctx context.Context, fn func(tx *gorm.DB) error) error {
	defer s.engine.committed()
	return translate(s.inTurn(ctx, fn, s.engine.add))
}

// transact runs fn in a transaction that has an order with all others.
func (s *Store) transact(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return s.inTurn(ctx, fn, s.engine.transact)
}

// inTurn runs fn in a transaction, once or more often. Whoever waits for a turn may give
// up; a transaction that has begun goes on to its end. In the middle, database/sql
// would give up the connection, and the caches all they hold (see ForeignVersion).
func (s *Store) inTurn(ctx context.Context, fn func(tx *gorm.DB) error, run func(context.Context, func(tx *gorm.DB) error) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.engine.available(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	return run(context.WithoutCancel(ctx), fn)
}

func newEvent(actor models.Actor, action models.AuditAction) *models.AuditEvent {
	return &models.AuditEvent{
		ID: NewID(), TeamID: actor.TeamID, ActorID: actor.UserID, ActorName: actor.UserName,
		ActorRole: actor.Role, Action: action, Address: actor.Address, UserAgent: actor.UserAgent, RequestID: actor.RequestID,
	}
}

func (c change) dialect() dialect { return dialectOf(c.DB) }

// tell adds to what caches hear after the commit.
func (c change) tell(notice models.Notice) { *c.notices = append(*c.notices, notice) }

// about says what the change was done to.
func (c change) about(targetType, id, name string) {
	c.event.TargetType, c.event.TargetID, c.event.Target = targetType, id, name
	if targetType == "application" {
		c.event.ApplicationID = id
	}
}

// noted adds to the details of the event.
func (c change) noted(text string) {
	c.event.Detail = strings.TrimPrefix(c.event.Detail+", "+text, ", ")
}

// changed notes a setting before and after; nothing where they are equal.
func (c change) changed(field, before, after string) error {
	if before == after {
		return nil
	}
	var all []models.AuditChange
	if c.event.Changes != "" {
		if err := json.Unmarshal([]byte(c.event.Changes), &all); err != nil {
			return fmt.Errorf("reading the changes so far: %w", err)
		}
	}
	text, err := json.Marshal(append(all, models.AuditChange{Field: field, Before: before, After: after}))
	c.event.Changes = string(text)
	return err
}

// NewID returns a new row ID: a UUID that sorts by time, never reused.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// once makes a form that is posted twice take effect once. It returns the
// result of the first post, or an empty string where this is the first and
// keeps result for the next. An empty key means that the caller sent none.
func (c change) once(team, key, result string) (string, error) {
	if key == "" {
		return "", nil
	}
	var earlier string
	err := c.Raw("SELECT result FROM form_posts WHERE team_id = ? AND form_key = ?", team, key).Scan(&earlier).Error
	if err != nil || earlier != "" {
		return earlier, err
	}
	return "", c.Exec("INSERT INTO form_posts (team_id, form_key, result, created_at) VALUES (?, ?, ?, ?)", team, key, result, c.now).Error
}

// affected turns "no row matched" into fallback.
func affected(result *gorm.DB, fallback error) error {
	if result.Error != nil {
		return result.Error
	}
	if result.RowsAffected == 0 {
		return fallback
	}
	return nil
}
