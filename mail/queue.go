package mail

import (
	"context"
	"errors"
	"slices"
	"time"
)

// run sends one message after the other. While the server cannot be reached all of
// them wait; one that the server puts off waits alone.
func (m *Mailer) run(ctx context.Context) {
	defer close(m.stopped)
	var openAgain time.Time
	for away := 0; ctx.Err() == nil; {
		next, wait, closed := m.take(openAgain)
		if next == nil && closed {
			return
		}
		if next == nil {
			m.rest(ctx, wait)
			continue
		}
		_, err := m.try(ctx, next.Message)
		var failed *failure
		if !errors.As(err, &failed) || !failed.ofServer {
			away, openAgain = 0, time.Time{}
			m.settle(*next, failed, closed)
			continue
		}
		openAgain = m.now().Add(m.pace.pause(away))
		away++
		if !m.settle(*next, failed, closed) && closed {
			return
		}
	}
}

// take removes the next message whose time has come. Where there is none it says how
// long to wait, zero for until somebody calls. Once the mailer closes nothing waits.
func (m *Mailer) take(openAgain time.Time) (next *letter, wait time.Duration, closed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for i, letter := range m.waiting {
		due := letter.due
		if due.Before(openAgain) {
			due = openAgain
		}
		if m.closed || !due.After(now) {
			m.waiting = slices.Delete(m.waiting, i, i+1)
			return &letter, 0, m.closed
		}
		if left := due.Sub(now); wait == 0 || left < wait {
			wait = left
		}
	}
	return nil, wait, m.closed
}

func (m *Mailer) rest(ctx context.Context, wait time.Duration) {
	var timer <-chan time.Time
	if wait > 0 {
		timer = time.After(wait)
	}
	select {
	case <-m.wake:
	case <-timer:
	case <-ctx.Done():
	}
}

// settle writes down what became of a message: sent, given up, or to be tried again,
// for which it returns false. Once the mailer closes there is no again. The log names neither its text nor a link in it.
func (m *Mailer) settle(l letter, failed *failure, closed bool) (done bool) {
	l.tries++
	log := m.log.With("to", l.To, "subject", l.Subject, "tries", l.tries)
	if failed == nil {
		m.sent.Add(1)
		log.Info("mail sent")
		return true
	}
	last := failed.final || m.now().Sub(l.taken) >= m.pace.longest
	if !failed.ofServer {
		l.due = m.now().Add(m.pace.pause(l.tries - 1))
		last = last || closed || l.tries >= m.pace.tries
	}
	if last {
		m.givenUp.Add(1)
		log.Error("mail given up", "error", failed)
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// In front: it has waited longest.
	m.waiting = slices.Insert(m.waiting, 0, l)
	return false
}

func (p pace) pause(n int) time.Duration { return p.pauses[min(n, len(p.pauses)-1)] }
