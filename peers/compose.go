package peers

import (
	"cmp"
	"slices"
	"time"
)

// told is what the goroutine that tells remembers from one time to the next.
type told struct {
	start time.Time
	// silent tells that the last message did not get through.
	silent bool
	// states wait to be told to a node that may have missed something; recapAt is when all were.
	states  []state
	recapAt time.Duration
	// calls wait, by team; streams are what was told last.
	calls   map[string]calls
	streams map[string]open
}

type calls struct{ limit, n int64 }

// open is how many streams a team has, and when that was told.
type open struct {
	claimed, seen int64
	at            time.Duration
}

func newTold() told {
	return told{
		start:   time.Now(), //nolint:forbidigo // a stopwatch, not the time of day
		recapAt: -statesAfter,
		calls:   map[string]calls{}, streams: map[string]open{},
	}
}

func (t *told) elapsed() time.Duration { return time.Since(t.start) } //nolint:forbidigo // see start

// budget is how many bytes a share has left.
type budget int

// spend adds an entry and tells whether there was room for it.
func (b *budget) spend(w *writer, of kind, name string, entry []byte) bool {
	if int(*b) < len(entry) {
		return false
	}
	used := w.add(of, name, entry)
	*b -= budget(used)
	return used > 0
}

// compose returns messages of what has come, mostMessages at most and mostly one or none.
func (e *Exchange) compose() [][]byte {
	w := &writer{node: e.node}
	if e.hello.Swap(false) {
		w.add(kindHello, "", []byte{0})
	}
	e.composeStreams(w)
	e.composeCalls(w)
	e.composeCounts(w)
	return w.messages
}

// discard drops what has come and is not told any more.
func (e *Exchange) discard() {
	for _, l := range e.limiters {
		l.take(func(keyCounts) bool { return true })
	}
	if e.meter != nil {
		e.meter.Calls(func(string, int64, int64) {})
	}
	clear(e.told.calls)
}

// composeCounts divides what there is room for by the limiters that have something, so that
// noise in one leaves the others theirs.
func (e *Exchange) composeCounts(w *writer) {
	var active []*limiter
	for _, l := range e.limiters {
		if l.waiting() {
			active = append(active, l)
		}
	}
	rest := budget(countsShare)
	for i, l := range active {
		share := rest / budget(len(active)-i)
		left := share
		l.take(func(c keyCounts) bool { return left.spend(w, kindCounts, l.name, appendCounts(nil, c)) })
		rest -= share - left
	}
	e.queueStates(active)
	rest = statesShare
	for len(e.told.states) > 0 {
		s := e.told.states[0]
		if !rest.spend(w, kindStates, s.name, appendState(nil, s)) {
			return
		}
		e.told.states = e.told.states[1:]
	}
	e.told.states = nil
}

// queueStates has it told how keys stand: of all limiters where another node may have missed
// something, and of those that had no room for all that has come.
func (e *Exchange) queueStates(active []*limiter) {
	now := e.told.elapsed()
	if e.recap.Load() && now-e.told.recapAt >= statesAfter {
		e.recap.Store(false)
		e.told.recapAt, e.told.states = now, nil
		for _, l := range e.limiters {
			e.told.states = append(e.told.states, l.states(mostStates/len(e.limiters))...)
		}
	}
	for _, l := range active {
		if len(e.told.states) < mostStates && now-l.toldAt >= statesAfter && l.takeLost() {
			l.toldAt = now
			e.told.states = append(e.told.states, l.states(mostStates/4)...)
		}
	}
}

func (e *Exchange) composeCalls(w *writer) {
	if e.meter == nil {
		return
	}
	waiting := e.told.calls
	e.meter.Calls(func(team string, limit, n int64) {
		if known, ok := waiting[team]; len(team) <= longestTeam && (ok || len(waiting) < mostTeams) {
			waiting[team] = calls{limit, known.n + n}
		}
	})
	left := budget(callsShare)
	for _, team := range largest(waiting, func(c calls) int64 { return c.n }) {
		if !left.spend(w, kindCalls, "", teamEntry(team, waiting[team].limit, waiting[team].n)) {
			return
		}
		delete(waiting, team)
	}
}

// composeStreams tells what has changed, and all again now and then: a node forgets what it
// is not told again.
func (e *Exchange) composeStreams(w *writer) {
	if e.streams == nil {
		return
	}
	now, due, before := e.told.elapsed(), map[string]open{}, e.told.streams
	for team, was := range before {
		due[team] = open{at: was.at} // none any more, unless visited
	}
	e.streams.Open(func(team string, claimed, seen int64) {
		if _, ok := due[team]; len(team) <= longestTeam && (ok || len(due) < mostTeams) {
			due[team] = open{claimed, seen, before[team].at}
		}
	})
	for team, is := range due {
		if was, ok := before[team]; ok && was == is && now-is.at < refreshAfter {
			delete(due, team)
		}
	}
	left := budget(streamsShare)
	for _, team := range largest(due, func(o open) int64 { return max(o.claimed, o.seen) }) {
		is := due[team]
		if !left.spend(w, kindStreams, "", teamEntry(team, is.claimed, is.seen)) {
			return
		}
		is.at = now
		before[team] = is
		if is.claimed == 0 && is.seen == 0 {
			delete(before, team)
		}
	}
}

func largest[T any](of map[string]T, size func(T) int64) []string {
	teams := make([]string, 0, len(of))
	for team := range of {
		teams = append(teams, team)
	}
	slices.SortFunc(teams, func(a, b string) int { return cmp.Or(cmp.Compare(size(of[b]), size(of[a])), cmp.Compare(a, b)) })
	return teams
}
