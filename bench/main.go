// Command bench measures Latchkey beside a bare echo server, as "make bench".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case interrupted:
		err = errors.New("interrupted")
	case err == nil:
		return
	}
	_, _ = fmt.Fprintln(os.Stderr, "bench: "+err.Error()) // nowhere is left to report that
	os.Exit(1)
}

func run(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	o, err := parseOptions(args, progress)
	if err != nil {
		return err
	}
	l, err := newLab(ctx, o, progress)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if err := l.prepare(ctx); err != nil {
		return err
	}
	for _, s := range stages(l.options) {
		if err := l.stage(ctx, s); err != nil {
			return err
		}
	}
	text := l.report()
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	if o.write == "" {
		return nil
	}
	return writeBetweenMarkers(o.write, text)
}
