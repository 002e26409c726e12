package rotation

import (
	"context"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	// lookEvery is how late a change of the source is noticed.
	lookEvery = time.Second
	// tellEvery is how often a node says that it runs.
	tellEvery = time.Minute
	// workEvery is how often a rotation under way is looked at, sessionsEvery where
	// only sessions are waited for.
	workEvery     = 2 * time.Second
	sessionsEvery = time.Minute
)

// Run follows the source and goes on with what was begun, until ctx ends; reload has it read the source
// at once. It returns a function that waits for the end and leaves the nodes.
func (r *Rotation) Run(ctx context.Context, reload <-chan os.Signal) (wait func()) {
	var runs sync.WaitGroup
	runs.Go(func() { r.follow(ctx, reload) })
	runs.Go(func() { r.work(ctx) })
	return func() {
		runs.Wait()
		if err := r.Store.LeaveKeys(context.WithoutCancel(ctx), r.node.ID); err != nil {
			r.Log.Warn("a rotation of keys will wait for this process for a while", "error", err)
		}
	}
}

func (r *Rotation) follow(ctx context.Context, reload <-chan os.Signal) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-reload:
			asked = true
		case <-ticker.C:
		}
		before := r.Keys.Version()
		r.note(ctx, "keys not read", r.Reload(ctx, asked))
		if names := r.Keys.Names(); r.Keys.Version() != before {
			r.Log.Info("keys read again", "sealing", names.Sealing, "keys", len(names.Seal), "session_keys", len(names.Sessions))
		}
		if err := r.tell(ctx); err != nil && ctx.Err() == nil {
			r.Log.Warn("not noted that this process runs", "error", err)
		}
	}
}

// note logs a failure that lasts once, not every second.
func (r *Rotation) note(ctx context.Context, message string, err error) {
	if ctx.Err() != nil {
		return
	}
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != r.failed {
		r.Log.Warn(message, "error", err)
	}
	r.failed = text
}

func (r *Rotation) work(ctx context.Context) {
	var last string
	for {
		phase := PhaseOf(r.Keys.Names())
		if phase != Idle {
			progress, err := r.Advance(ctx)
			if err != nil && ctx.Err() == nil {
				progress.Waits = err.Error()
			}
			if text := string(progress.Phase) + withoutNumbers(progress.Waits); text != last && ctx.Err() == nil {
				r.Log.Info("rotation of keys", "phase", string(progress.Phase), "waits_for", progress.Waits)
				last = text
			}
		}
		pause := workEvery
		if phase == Sessions {
			pause = sessionsEvery
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// withoutNumbers has what is left counted down in one log line.
func withoutNumbers(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) || r == ',' {
			return -1
		}
		return r
	}, text)
}
