package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// aloneLocks sets the advisory locks of jobs apart from others of the database.
	aloneLocks = 0x6c6b
	// aloneBeat is how often whoever works says that it is there; after aloneSilence the
	// server takes the work from it.
	aloneBeat    = 2 * time.Second
	aloneSilence = "10s"
)

// Alone runs do unless another process on the same PostgreSQL database is at the same job,
// and reports whether it did. The context of do ends where the database takes the job
// away. On a SQLite file do runs: what two processes do at once there comes out the same.
func (s *Store) Alone(ctx context.Context, job string, do func(ctx context.Context) error) (ran bool, err error) {
	return s.engine.alone(ctx, job, do)
}

func (l *sqliteEngine) alone(ctx context.Context, _ string, do func(ctx context.Context) error) (bool, error) {
	return true, do(ctx)
}

// alone holds an advisory lock on a connection of its own: it belongs to the session, and
// ends with it.
func (p *postgresEngine) alone(ctx context.Context, job string, do func(ctx context.Context) error) (bool, error) {
	config := p.direct.Copy()
	config.RuntimeParams["idle_session_timeout"] = aloneSilence
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, translate(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // the lock ends with it
	if mine, err := takeJob(ctx, conn, job); err != nil || !mine {
		return false, translate(err)
	}
	ctx, stop := context.WithCancel(ctx)
	held := make(chan struct{})
	go func() {
		defer close(held)
		defer stop()
		hold(ctx, conn)
	}()
	err = do(ctx)
	stop()
	<-held
	return true, err
}

func takeJob(ctx context.Context, conn *pgx.Conn, job string) (mine bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, connectFor)
	defer cancel()
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, hashtext($2))", aloneLocks, job).Scan(&mine)
	return mine, err
}

// hold keeps the session until ctx ends, and returns once it is lost.
func hold(ctx context.Context, conn *pgx.Conn) {
	ticker := time.NewTicker(aloneBeat)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := aloneStill(ctx, conn); err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// aloneStill asks no longer than the server would wait for the question.
func aloneStill(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 2*aloneBeat)
	defer cancel()
	return conn.Ping(ctx)
}
