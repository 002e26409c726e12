package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

const starts = 10

// measureStart takes the time from exec to the first answer of a server on a
// migrated database, and the median of that.
func (l *lab) measureStart(ctx context.Context) error {
	var times []float64
	for range starts {
		took, err := l.startOnce(ctx)
		if err != nil {
			return err
		}
		times = append(times, millis(took))
	}
	l.facts.start = median(times)
	return nil
}

func (l *lab) startOnce(ctx context.Context) (time.Duration, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return 0, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	begin := now()
	s, err := launch(ctx, nil, l.log, l.path("web"), append(l.places(), "--addr", addr, "--log", "text")...)
	if err != nil {
		return 0, err
	}
	for now().Sub(begin) < patience && s.alive() {
		got, err := http1(ctx, client, "http://"+addr, request{method: http.MethodGet, path: "/oauth2/verify"})
		if err == nil && got.status == http.StatusUnauthorized {
			return now().Sub(begin), s.stop()
		}
		time.Sleep(time.Millisecond)
	}
	s.kill()
	return 0, fmt.Errorf("the product did not answer\n%s", l.logTail())
}

// freeAddress finds a port that was free a moment ago.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", anyPort)
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
