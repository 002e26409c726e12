package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A1: lines are structured, in UTC to the millisecond, and one event is one line.
func TestLogLines(t *testing.T) {
	moment := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		log, flush := newLog(Config{LogJSON: asJSON}, &out)
		log.Info("request", "route", "a\nlevel=ERROR\x1b[31m")
		flush()
		line := out.String()
		if strings.Count(line, "\n") != 1 || strings.ContainsRune(line, 0x1b) {
			t.Errorf("json %v: %q", asJSON, line)
		}
		at := strings.TrimPrefix(strings.Fields(line)[0], "time=")
		if asJSON {
			var fields map[string]string
			if err := json.Unmarshal(out.Bytes(), &fields); err != nil {
				t.Fatal(err)
			}
			at = fields["time"]
		}
		if !moment.MatchString(at) {
			t.Errorf("json %v: time %q", asJSON, at)
		}
	}
}

// written is what several goroutines wrote.
type written struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// Lines are written together, in order, and none waits long.
func TestLogLag(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var out written
			log, flush := newLog(Config{LogJSON: asJSON}, &out)
			lines := func(want int, when string) {
				t.Helper()
				synctest.Wait()
				if got := strings.Count(out.String(), "\n"); got != want {
					t.Errorf("json %v, %s: %d lines, want %d", asJSON, when, got, want)
				}
			}
			log.Info("one")
			lines(0, "at once")
			time.Sleep(logLag)
			lines(1, "after the lag")
			log.With("a", 1).WithGroup("b").Info("two", "c", 1)
			log.Warn("three")
			lines(3, "after a warning")
			log.Info("four", "text", strings.Repeat("x", logRoom))
			log.Info("five")
			lines(4, "when there is no room for both")
			flush()
			lines(5, "at the end")
			time.Sleep(time.Second)
			if order := regexp.MustCompile(`(?s)one.*two.*three.*four.*five`); !order.MatchString(out.String()) {
				t.Errorf("json %v: %q", asJSON, out.String())
			}
		})
	}
}
