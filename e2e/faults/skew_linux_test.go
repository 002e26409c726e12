package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// skew is what the program's clock asks besides the system's.
const skew = `package main

import (
	"os"
	"strconv"
	"time"
)

func skew() int64 {
	text, _ := os.ReadFile(os.Getenv("SKEW"))
	hours, _ := strconv.ParseInt(string(text), 10, 64)
	return hours * int64(time.Hour)
}
`

// skewClock writes an overlay for go build in which the system's clock is as many hours
// ahead as the file that SKEW names says: nobody may set the clock of the machine for a test.
func skewClock(dir string) (overlay string, err error) {
	clock, err := filepath.Abs("../../cmd/web/clock.go")
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(clock)
	if err != nil {
		return "", err
	}
	const asks = "now.UnixNano()"
	if strings.Count(string(text), asks) != 1 {
		return "", fmt.Errorf("%s does not ask for the time once by %s", clock, asks)
	}
	files := map[string]string{
		clock: strings.Replace(string(text), asks, asks+"+skew()", 1), filepath.Join(filepath.Dir(clock), "skew.go"): skew,
	}
	replace := map[string]string{}
	for name, content := range files {
		replace[name] = filepath.Join(dir, "overlay-"+filepath.Base(name))
		if err := os.WriteFile(replace[name], []byte(content), 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}
