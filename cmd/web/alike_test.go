package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
)

// A6: a fault that fails each request says so at once, and then how often, every ten seconds.
func TestFaultsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out written
		log, _ := newLog(Config{}, &out)
		full := fmt.Errorf("%w: disk full", models.ErrUnavailable)
		wrote := func(when string, lines int, last string) {
			t.Helper()
			synctest.Wait()
			all := strings.Split(strings.TrimSpace(out.String()), "\n")
			if len(all) != lines || !strings.HasSuffix(all[len(all)-1], last) {
				t.Errorf("%s: %d lines, want %d, the last with %q:\n%s", when, len(all), lines, last, out.String())
			}
		}
		for i := range 1000 {
			log.Error("request failed", "request", i, "error", full)
		}
		wrote("at once", 1, `request=0 error="database unavailable: disk full"`)
		log.Error("request failed", "request", "x", "error", models.ErrBusy)
		log.Warn("times wait", "error", full)
		wrote("another fault", 3, `msg="times wait" error="database unavailable: disk full"`)
		time.Sleep(alikeFor + time.Second)
		wrote("later", 4, `msg="request failed" more=999 error="database unavailable: disk full"`)
		log.Error("request failed", "request", "y", "error", full)
		time.Sleep(alikeFor + time.Second)
		wrote("once more", 5, `msg="request failed" more=1 error="database unavailable: disk full"`)
		time.Sleep(alikeFor + time.Second)
		log.Error("request failed", "request", "z", "error", full)
		wrote("anew", 6, `request=z error="database unavailable: disk full"`)
		for range 2 {
			log.Error("request failed", "error", errors.New("a panic"))
		}
		wrote("what is no fault of the database", 8, `error="a panic"`)
		time.Sleep(2 * alikeFor)
	})
}

// What the server says of a lack of descriptors is one fault, however long it waits.
func TestAcceptErrorsAreAlike(t *testing.T) {
	var out written
	log, flush := newLog(Config{}, &out)
	said := newServerLog(log)
	for _, wait := range []string{"5ms", "10ms", "1s"} {
		said.Printf("http: Accept error: accept tcp 127.0.0.1:80: accept4: too many open files; retrying in %s", wait)
	}
	said.Print("http: TLS handshake error from 192.0.2.1: EOF")
	said.Print("http: other")
	flush()
	text := out.String()
	if strings.Count(text, "too many open files") != 1 || strings.Contains(text, "retrying") || strings.Count(text, "\n") != 3 || !strings.Contains(text, "level=INFO") {
		t.Error(text)
	}
}
