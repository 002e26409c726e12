package usage

import (
	"context"
	"errors"
	"time"

	"github.com/latchkey/latchkey/models"
)

// maxWaiting is how many batches may wait for the database. Beyond it what is counted
// stays where it is, bounded by maxKeys.
const maxWaiting = maxKeys / batchRows

func (m *Meter) run() {
	defer close(m.stopped)
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	behind := false
	for {
		select {
		case <-ticker.C:
		case <-m.early:
		case <-m.stop:
			return
		case <-m.ctx.Done():
			return
		}
		err := m.flush(m.ctx)
		if (err != nil) != behind {
			behind = err != nil
			m.report(err)
		}
	}
}

func (m *Meter) report(err error) {
	if err == nil {
		m.log.Info("counts of calls are written again")
		return
	}
	m.log.Warn("counts of calls wait for the database", "error", err)
}

// hurry has the counts written now: other nodes wait to hear that nothing is left.
func (m *Meter) hurry() {
	select {
	case m.early <- struct{}{}:
	default:
	}
}

// flush stores what was counted. It is for one goroutine.
func (m *Meter) flush(ctx context.Context) error {
	if len(m.waiting) < maxWaiting {
		m.take()
	}
	return m.send(ctx)
}

// send stores the batches that wait, in order. What cannot be stored stays, under the ID
// that it was sent with: whether it has arrived may not be known. A batch that the store
// refuses for what it holds keeps no other back.
func (m *Meter) send(ctx context.Context) error {
	var failed error
	rest := m.waiting[:0]
	for i, b := range m.waiting {
		err := m.save(ctx, b)
		if err == nil {
			continue
		}
		failed = err
		rest = append(rest, b)
		if errors.Is(err, models.ErrUnavailable) || errors.Is(err, models.ErrBusy) {
			rest = append(rest, m.waiting[i+1:]...)
			break
		}
	}
	clear(m.waiting[len(rest):])
	m.waiting = rest
	return failed
}

func (m *Meter) save(ctx context.Context, b *batch) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := m.takeTurn(ctx); err != nil {
		return err
	}
	alerts, err := m.hand(ctx, b)
	m.endTurn()
	if err == nil && len(alerts) > 0 && m.alert != nil {
		m.alert(alerts)
	}
	return err
}

// hand gives a batch to the store and notes how that went. It needs the turn.
func (m *Meter) hand(ctx context.Context, b *batch) ([]models.PointAlert, error) {
	for _, p := range b.parts {
		p.goes()
	}
	at, again := m.elapsed(), b.sent
	b.sent = true
	alerts, err := m.store.SaveUsage(ctx, b.UsageBatch)
	// A lease that is trusted by now had not ended when the store looked: charging has
	// renewed it, unless the batch had arrived before.
	now := m.elapsed()
	for team, p := range b.parts {
		p.back(err == nil, b.Charged[team], func(l *lease) {
			if !again && now < l.until {
				l.until = at + leaseTrust
			}
		})
	}
	return alerts, err
}

// goes notes that a batch is on its way.
func (p *part) goes() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moves++
}

// back notes that it is not any more. Where it has arrived, what it holds moves to what is
// stored. What was read meanwhile, with the batch or without, is read again.
func (p *part) back(arrived bool, charged int64, renew func(*lease)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moves++
	if !arrived {
		p.doubtful = true // it may have
		return
	}
	p.waiting--
	p.unstored -= charged
	p.standing.Balance -= charged
	p.standing.Used += charged
	p.lease.points = max(0, p.lease.points-charged)
	if charged > 0 {
		renew(&p.lease)
	}
	for key, points := range p.spent {
		if app := p.apps[key.app]; app != nil && app.day == key.day {
			app.unstored -= points
			app.used += points
		}
	}
	if p.doubtful {
		p.doubtful = false
		p.age()
	}
}

// age has what is known read again by the next call. It needs a.mu.
func (a *account) age() {
	a.known.at -= trustFor
	for _, app := range a.apps {
		app.known.at -= trustFor
	}
}
