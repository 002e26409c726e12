package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

const (
	// changesChannel is where nodes tell each other what they have changed.
	changesChannel = "latchkey_changes"
	// mostNotices go into one message; of more, or of more than LongestTold, everything is
	// forgotten.
	mostNotices = 30
	// listenAgain is the pause after a connection that failed.
	listenAgain = 200 * time.Millisecond
	// beatFor is how long the server may take to say that it is there.
	beatFor = time.Second
)

// pgMessage is what a node tells the others, as JSON.
type pgMessage struct {
	Node    string          `json:"node"`
	Teams   []string        `json:"teams,omitempty"`
	Notices []models.Notice `json:"notices,omitempty"`
	// All says that there was more to forget than fits.
	All bool `json:"all,omitempty"`
}

// nodeName tells this process's own messages from those of others.
type nodeName struct{ atomic.Pointer[string] }

// renew has the process hear messages that it has sent already: of a transaction whose
// end it does not know, it must hear again once that is committed.
func (n *nodeName) renew() {
	id := NewID()
	n.Store(&id)
}

func (n *nodeName) String() string { return *n.Load() }

// carry sends the message with the commit: nobody hears of what was rolled back.
func (p *postgresEngine) carry(tx *gorm.DB, teams []string, notices []models.Notice) error {
	text, err := pgMessage{Node: p.node.String(), Teams: teams, Notices: notices}.text()
	if err != nil {
		return err
	}
	return tx.Exec("SELECT pg_notify(?, ?)", changesChannel, text).Error
}

// text is the message as it is sent. What does not fit would undo the change.
func (m pgMessage) text() (string, error) {
	all := len(m.Notices) > mostNotices || slices.ContainsFunc(m.Notices, everything)
	text, err := json.Marshal(m)
	if err == nil && (all || len(text) > LongestTold) {
		m.Notices, m.All = nil, true
		text, err = json.Marshal(m)
	}
	return string(text), err
}

func (p *postgresEngine) foreignVersion(ctx context.Context) (int64, error) {
	return p.feed.version(ctx)
}

// pgFeed hears what other nodes change, on a connection of its own that no pooler stands
// before: LISTEN belongs to a session.
type pgFeed struct {
	config *pgx.ConnConfig
	node   *nodeName
	hear   func(teams []string, notices []models.Notice)
	// lost is called when the connection has failed.
	lost func()
	// self is what this process calls itself to those.
	self string
	// told hears what other nodes tell, nil for nobody.
	told atomic.Pointer[func(text string)]
	stop context.CancelFunc
	done chan struct{}

	// mu guards the others.
	mu sync.Mutex
	// waiting are those who ask for the version.
	waiting []chan<- pgVersion
	// interrupt has the connection look who is waiting.
	interrupt context.CancelFunc
	// missed grows whenever something may have been missed: only run changes it.
	missed int64
}

type pgVersion struct {
	version int64
	err     error
}

func newPgFeed(config *pgx.ConnConfig, node *nodeName, hear func([]string, []models.Notice), lost func()) *pgFeed {
	ctx, stop := context.WithCancel(context.Background())
	f := &pgFeed{config: config.Copy(), node: node, self: NewID(), hear: hear, lost: lost, stop: stop, done: make(chan struct{}), interrupt: func() {}}
	f.config.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { f.dispatch(n) }
	go f.run(ctx)
	return f
}

func (f *pgFeed) close() {
	f.stop()
	<-f.done
}

// version returns after a beat of the connection that began after the question: all that
// was committed before the question has been heard by then.
func (f *pgFeed) version(ctx context.Context) (int64, error) {
	answer := make(chan pgVersion, 1)
	f.mu.Lock()
	f.waiting = append(f.waiting, answer)
	f.interrupt()
	f.mu.Unlock()
	select {
	case got := <-answer:
		return got.version, got.err
	case <-f.done:
		return 0, fmt.Errorf("%w: the database is closed", models.ErrUnavailable)
	case <-ctx.Done():
		return 0, fmt.Errorf("%w: %w", models.ErrUnavailable, ctx.Err())
	}
}

func (f *pgFeed) run(ctx context.Context) {
	defer close(f.done)
	for ctx.Err() == nil {
		conn, err := f.connect(ctx)
		if err == nil {
			f.lost() // what was given back since it failed
			err = f.listen(ctx, conn)
			f.lost()
		}
		f.answer(f.asked(), fmt.Errorf("%w: %w", models.ErrUnavailable, err))
		select {
		case <-time.After(listenAgain):
		case <-ctx.Done():
		}
	}
}

var errPooled = errors.New("a pooler stands before the database and keeps back what belongs to a session: set LATCHKEY_DATABASE_DIRECT to its address without one")

func (f *pgFeed) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectFor)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, f.config)
	if err != nil {
		return nil, translate(err)
	}
	if _, err := conn.Exec(ctx, "LISTEN "+changesChannel+"; LISTEN "+countsChannel); err != nil {
		_ = conn.Close(ctx) // it has failed
		return nil, translate(err)
	}
	return conn, nil
}

// listen hears until the connection fails.
func (f *pgFeed) listen(ctx context.Context, conn *pgx.Conn) error {
	defer func() {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_ = conn.Close(ended) // it has failed: nobody is told
	}()
	f.forgetAll()
	f.pass("")
	for {
		asked, wait := f.next(ctx)
		if len(asked) == 0 {
			err := conn.PgConn().WaitForNotification(wait)
			if err != nil && (ctx.Err() != nil || conn.IsClosed()) {
				return translate(err)
			}
			continue
		}
		err := beat(ctx, conn)
		f.answer(asked, err)
		if err != nil {
			return err
		}
	}
}

// next returns who is waiting, or else a context that ends once somebody is.
func (f *pgFeed) next(ctx context.Context) ([]chan<- pgVersion, context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.interrupt()
	asked := f.waiting
	f.waiting = nil
	wait, interrupt := context.WithCancel(ctx)
	f.interrupt = interrupt
	return asked, wait
}

func (f *pgFeed) asked() []chan<- pgVersion {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.waiting
	f.waiting = nil
	return asked
}

func (f *pgFeed) answer(asked []chan<- pgVersion, err error) {
	f.mu.Lock()
	got := pgVersion{version: f.missed, err: err}
	f.mu.Unlock()
	for _, answer := range asked {
		answer <- got
	}
}

// beat asks the server over the connection that listens. Whatever was committed before
// has been delivered before the answer. A pooler gives itself away: the session is then
// another process's than the one that was greeted, or does not listen.
func beat(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, beatFor)
	defer cancel()
	var pid uint32
	var listens bool
	err := conn.QueryRow(ctx, "SELECT pg_backend_pid(), EXISTS (SELECT 1 FROM pg_listening_channels() AS c WHERE c = $1)", changesChannel).Scan(&pid, &listens)
	if err != nil {
		return translate(err)
	}
	if pid != conn.PgConn().PID() || !listens {
		return fmt.Errorf("%w: %w", models.ErrUnavailable, errPooled)
	}
	return nil
}

func (f *pgFeed) dispatch(n *pgconn.Notification) {
	if n.Channel != countsChannel {
		f.take(n.Payload)
		return
	}
	if text, own := strings.CutPrefix(n.Payload, f.self); !own && len(text) > len(f.self) {
		f.pass(text[len(f.self):])
	}
}

// pass hands on a text of another node, an empty one where some may have been missed.
func (f *pgFeed) pass(text string) {
	if hear := f.told.Load(); hear != nil {
		(*hear)(text)
	}
}

// take applies a message of another node. What this one said it has applied already; what
// no node said may mean anything.
func (f *pgFeed) take(payload string) {
	message, err := readMessage(payload)
	switch {
	case err != nil, message.Node == "":
		f.forgetAll()
	case message.Node == f.node.String():
	case message.All:
		f.hear(message.Teams, nil)
		f.forgetAll()
	default:
		f.hear(message.Teams, message.Notices)
	}
}

// readMessage refuses what holds more than this program knows.
func readMessage(payload string) (message pgMessage, err error) {
	decoder := json.NewDecoder(strings.NewReader(payload))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&message); err != nil {
		return message, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return message, errors.New("more follows the message")
	}
	return message, nil
}

// forgetAll has whoever asks for the version forget all they know.
func (f *pgFeed) forgetAll() {
	f.mu.Lock()
	f.missed++
	f.mu.Unlock()
}
