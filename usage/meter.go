package usage

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/latchkey/latchkey/models"
)

const (
	// maxAccounts bounds the teams that make calls within a minute; another one's calls
	// are answered with models.ErrBusy.
	maxAccounts = 20_000
	// flushEvery is how much a crash loses at most, and the time that a write takes.
	flushEvery = time.Second
	// readTimeout and writeTimeout bound one call of the store.
	readTimeout  = time.Second
	writeTimeout = 10 * time.Second
)

// Meter counts, charges and refuses. It is safe for concurrent use.
type Meter struct {
	store Store
	log   *slog.Logger
	now   func() models.Time
	alert func([]models.PointAlert)
	// node names this meter among those that hold leases.
	node string
	// ctx bounds what is read and written, start is where the stopwatch began: leases and
	// what is remembered end by it, whatever is done to the clock.
	ctx   context.Context
	start time.Time

	// turn is taken for each call of the store that moves leases, so that their answers
	// are noted in the order in which they happened.
	turn chan struct{}
	// mu guards accounts, of which there are most at most.
	mu       sync.RWMutex
	accounts map[string]*account
	most     int
	// keys is how many counts wait to be taken into a batch.
	keys atomic.Int64
	// What Stats tells.
	passed, charged atomic.Int64
	// waiting is for the goroutine that writes.
	waiting []*batch

	closed        atomic.Bool
	flights       sync.WaitGroup
	early         chan struct{}
	stop, stopped chan struct{}
}

// New starts a meter. Close stores what it has counted; ctx bounds its writes. onAlert, if
// not nil, is called with alerts that have become due, on the goroutine that writes: it
// must not wait for anybody.
func New(ctx context.Context, store Store, log *slog.Logger, now func() models.Time, onAlert func([]models.PointAlert)) *Meter {
	m := &Meter{
		store: store, log: log, now: now, alert: onAlert, ctx: ctx, node: newID(), accounts: map[string]*account{}, most: maxAccounts,
		start: time.Now(), //nolint:forbidigo // a stopwatch, not the time of day
		turn:  make(chan struct{}, 1), early: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go m.run()
	return m
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (m *Meter) elapsed() time.Duration { return time.Since(m.start) } //nolint:forbidigo // see start

// Admit lets a call pass or returns a RefusedError; a word of models/errors.go where the
// store cannot say. It waits for the store only where too little is known of the team.
func (m *Meter) Admit(ctx context.Context, call Call) (*Permit, error) {
	call.Cost = min(max(call.Cost, 0), models.MaxCost)
	p := &Permit{meter: m, call: call}
	err := m.ask(ctx, call.TeamID, func(a *account) (*flight, error) { return m.admit(a, p) })
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Refused counts a call of a known token that did not pass, with the status of its answer.
func (m *Meter) Refused(call Call, status int) {
	a, err := m.account(call.TeamID)
	if err != nil {
		return // its team has more calls to answer than this one
	}
	defer a.mu.Unlock()
	m.count(a, call, status, m.now(), count{requests: 1})
}

// Recheck returns a RefusedError where a stream that call opened may not stay open: no
// points are left, the plan has ended, or the application has reached its cap. It costs
// nearly nothing. Any other error says that this cannot be known now.
func (m *Meter) Recheck(ctx context.Context, call Call) error {
	return m.ask(ctx, call.TeamID, func(a *account) (*flight, error) { return m.recheck(a, call) })
}

// Standing says how a team stands, with what this node has counted and not stored yet.
func (m *Meter) Standing(ctx context.Context, team string) (models.Standing, error) {
	var st models.Standing
	err := m.ask(ctx, team, func(a *account) (*flight, error) {
		wait, err := m.know(a, m.elapsed(), m.now(), false)
		st = a.standing
		st.Balance -= a.unstored
		st.Used += a.unstored
		return wait, err
	})
	return st, err
}

// ask has try answer from what is known of a team, as often as it names something to wait
// for.
func (m *Meter) ask(ctx context.Context, team string, try func(a *account) (*flight, error)) error {
	for {
		if m.closed.Load() {
			return fmt.Errorf("%w: the program stops", models.ErrUnavailable)
		}
		a, err := m.account(team)
		if err != nil {
			return err
		}
		wait, err := try(a)
		a.mu.Unlock()
		if err != nil || wait == nil {
			return err
		}
		select {
		case <-wait.done:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", models.ErrUnavailable, ctx.Err())
		}
	}
}

// account returns a team's account, locked.
func (m *Meter) account(team string) (*account, error) {
	for {
		m.mu.RLock()
		a := m.accounts[team]
		m.mu.RUnlock()
		if a == nil {
			var err error
			if a, err = m.addAccount(team); err != nil {
				return nil, err
			}
		}
		a.mu.Lock()
		if !a.gone {
			return a, nil
		}
		a.mu.Unlock()
	}
}

func (m *Meter) addAccount(team string) (*account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.accounts[team]; a != nil {
		return a, nil
	}
	if len(m.accounts) >= m.most {
		return nil, fmt.Errorf("%w: too many teams make calls", models.ErrBusy)
	}
	a := newAccount(team)
	m.accounts[team] = a
	return a, nil
}

// Forget drops what the notice names, so that a change of plan holds for the next call.
func (m *Meter) Forget(notice models.Notice) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if a := m.accounts[notice.TeamID]; a != nil {
		a.forget()
	}
	if notice.ApplicationID == "" {
		return
	}
	for _, a := range m.accounts {
		a.forgetApplication(notice.ApplicationID)
	}
}

// Close stores what was counted and gives leases back, until ctx ends. No call passes any
// more. Call it once.
func (m *Meter) Close(ctx context.Context) error {
	m.closed.Store(true)
	close(m.stop)
	// Whoever has locked an account before it was closed may begin a flight, nobody after.
	m.mu.RLock()
	for _, a := range m.accounts {
		a.mu.Lock()
		a.mu.Unlock() //nolint:staticcheck // a barrier
	}
	m.mu.RUnlock()
	select {
	case <-m.stopped:
	case <-ctx.Done():
		return fmt.Errorf("counts of calls not written: %w", ctx.Err())
	}
	m.flights.Wait()
	m.take()
	if err := m.send(ctx); err != nil {
		return fmt.Errorf("counts of calls not written: %w", err)
	}
	m.giveBack(ctx)
	return nil
}
