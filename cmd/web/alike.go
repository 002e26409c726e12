package main

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/latchkey/latchkey/models"
)

const (
	// alikeFor is how long lines of one fault wait to be counted together.
	alikeFor = 10 * time.Second
	// maxAlike bounds how many faults are told apart; what comes beyond is written in full.
	maxAlike = 100
)

// errAccepting marks that no connection can be taken.
var errAccepting = errors.New("accepting connections")

// alike keeps a fault that fails every request, such as a full disk, from filling the log as
// well: the first line is written, and those like it are counted in one every alikeFor.
type alike struct {
	// mu guards more, which counts lines by message and error.
	mu   sync.Mutex
	more map[string]int
}

func newAlike() *alike { return &alike{more: map[string]int{}} }

// counts tells whether a line was counted instead of written. write gets the one that says
// how many were.
func (a *alike) counts(line slog.Record, write func(slog.Record)) bool {
	fault := faultIn(line)
	if fault == nil {
		return false
	}
	key := line.Message + "\n" + fault.Error()
	a.mu.Lock()
	defer a.mu.Unlock()
	if n, ok := a.more[key]; ok {
		a.more[key] = n + 1
		return true
	}
	if len(a.more) < maxAlike {
		a.more[key] = 0
		a.wait(key, line, fault, write)
	}
	return false
}

func (a *alike) wait(key string, first slog.Record, fault error, write func(slog.Record)) {
	time.AfterFunc(alikeFor, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		n := a.more[key]
		if n == 0 {
			delete(a.more, key)
			return
		}
		a.more[key] = 0
		line := slog.NewRecord(clock(), first.Level, first.Message, 0)
		line.AddAttrs(slog.Int("more", n), slog.Any("error", fault))
		write(line)
		a.wait(key, first, fault, write)
	})
}

// faultIn is the error of a line where it is a fault of what the program stands on.
func faultIn(line slog.Record) (fault error) {
	line.Attrs(func(attr slog.Attr) bool {
		err, ok := attr.Value.Any().(error)
		if ok && (errors.Is(err, models.ErrUnavailable) || errors.Is(err, models.ErrBusy) || errors.Is(err, errAccepting)) {
			fault = err
		}
		return fault == nil
	})
	return fault
}
