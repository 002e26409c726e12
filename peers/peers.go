// Package peers lets the nodes that use one database count together what each counts in
// memory: failures and attempts of limiters, calls of teams, streams that are open. A few
// times a second each tells the others what has come. It knows neither HTTP nor SQL.
//
// Nothing of it is stored, and nothing waits for it: a node that hears nobody counts alone.
package peers

import (
	"context"
	"time"
)

const (
	// every is how often a node tells what has come.
	every = 200 * time.Millisecond
	// refreshAfter is how often it repeats how many streams are open.
	refreshAfter = 700 * time.Millisecond
	// tellFor is how long the database may take for one message.
	tellFor = time.Second
	// keySize is that of the keys of limiters, which are hashes.
	keySize = 16
	// longestTeam is how long the ID of a team may be.
	longestTeam = 64
)

// What one node tells at once is bounded, whatever happens: beyond, the largest counts come
// first. These are bytes, of messages of longestMessage.
const (
	longestMessage = 5800
	countsShare    = 2 * longestMessage
	statesShare    = longestMessage
	callsShare     = longestMessage
	streamsShare   = longestMessage
	// mostMessages is one more than the shares fill: no part of one is split.
	mostMessages = 6
	// mostKeys bounds, by limiter, what waits to be told, mostTeams calls and streams.
	mostKeys  = 2048
	mostTeams = 20_000
	// mostStates is how many keys a node is told of that may have missed something.
	// statesAfter lies between two times that a limiter tells of those that did not fit.
	mostStates  = 1024
	statesAfter = time.Second
)

// Feed is how nodes reach each other: store.Store.
type Feed interface {
	// Tell sends a text to all other nodes.
	Tell(ctx context.Context, text string) error
	// Hear has hear called with what others tell, and with an empty text where some may
	// have been missed. hear must not wait.
	Hear(hear func(text string))
}

// Limiter counts failures by key: middleware.Limiter.
type Limiter interface {
	// Share has tell called for all that the limiter counts by itself: n failures; for an n
	// below zero, failures taken back, with the pause that they began where it ends; for
	// zero, a key that is forgotten.
	Share(tell func(key [keySize]byte, n int, ends bool))
	// Hear counts what the limiter of another node has told.
	Hear(node uint64, key [keySize]byte, n int, ends bool)
	// States visits the keys that have failures, with what is left of window and pause; Meet
	// brings a key to how it stands elsewhere, where that is stricter.
	States(visit func(key [keySize]byte, count int, window, wait time.Duration))
	Meet(node uint64, key [keySize]byte, count int, window, wait time.Duration)
}

// Meter bounds calls by team: usage.Meter.
type Meter interface {
	// Share begins to keep what Calls visits: the calls that have passed since the last
	// time, of teams with a limit.
	Share()
	Calls(visit func(team string, limit, calls int64))
	// HearCalls counts calls that have passed at another node.
	HearCalls(team string, limit, calls int64)
}

// Streams bounds what is open by team: gateway.Streams.
type Streams interface {
	// Open visits the teams with something open here: the streams that count for the limit of
	// their plan, and those that people see.
	Open(visit func(team string, claimed, seen int64))
	// HearOpen notes how many are open at another node, for a while.
	HearOpen(node uint64, team string, claimed, seen int64)
}
