package main

import (
	"context"
	"log/slog"
	"net"
)

// tell is notify for a program that goes on without it.
func (p *program) tell(ctx context.Context, state string, log *slog.Logger) {
	if err := notify(ctx, p.env, state); err != nil {
		log.Warn("the service manager cannot be told", "state", state, "error", err)
	}
}

// stopping outlives the signal that ended ctx.
func (p *program) stopping(ctx context.Context, log *slog.Logger) {
	log.Info("stopping")
	p.tell(context.WithoutCancel(ctx), "STOPPING=1", log)
}

// notify tells a service manager that waits for it how the program stands: the
// protocol of sd_notify(3), one datagram to the socket that the environment names.
// Without such a manager it does nothing.
func notify(ctx context.Context, env lookup, state string) error {
	path, ok := env("NOTIFY_SOCKET")
	if !ok || path == "" {
		return nil
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unixgram", path)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(state))
	return err
}
