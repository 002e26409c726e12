package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// A1: lines are structured, in UTC to the millisecond, and one event is one line.
func TestLogLines(t *testing.T) {
	moment := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		newLog(Config{LogJSON: asJSON}, &out).Info("request", "route", "a\nlevel=ERROR\x1b[31m")
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
