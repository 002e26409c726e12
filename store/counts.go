package store

import (
	"context"
	"errors"
)

// LongestTold is how many bytes of text Tell takes.
const LongestTold = 7900

var errTooLong = errors.New("the text is longer than a message may be")

// Tell sends a text to all other nodes that use the database, without storing it. It does
// nothing on SQLite. Texts may stand in the logs of the database's server.
func (s *Store) Tell(ctx context.Context, text string) error {
	if len(text) > LongestTold {
		return errTooLong
	}
	return translate(s.engine.tell(ctx, text))
}

// Hear has hear called with each text that another node tells, one after the other, and
// with an empty one where some may have been missed. It must not wait for anybody. Call it
// once.
func (s *Store) Hear(hear func(text string)) { s.engine.hear(hear) }

// tell has nothing to do: other processes on the file count by themselves.
func (l *sqliteEngine) tell(context.Context, string) error { return nil }

func (l *sqliteEngine) hear(func(text string)) {}

// countsChannel carries what Tell sends, after self of pgFeed.
const countsChannel = "latchkey_counts"

func (p *postgresEngine) tell(ctx context.Context, text string) error {
	db, err := p.reads.DB()
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "SELECT pg_notify($1, $2)", countsChannel, p.feed.self+text)
	return err
}

func (p *postgresEngine) hear(hear func(text string)) { p.feed.told.Store(&hear) }
