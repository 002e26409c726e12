package main

import (
	"errors"
	"math"
	"runtime/debug"
	"testing"
)

// R3: the collector's limit follows what the cgroup grants, unless the operator chose one.
func TestFitMemory(t *testing.T) {
	const none = math.MaxInt64
	for name, test := range map[string]struct {
		env     map[string]string
		granted uint64
		err     error
		want    int64
	}{
		"64 MB":            {granted: 64 << 20, want: 32<<20 + heapRoom},
		"128 MB":           {granted: 128 << 20, want: 88<<20 + heapRoom},
		"1000 MB":          {granted: 1000 << 20, want: 900<<20 + heapRoom},
		"no limit":         {err: errors.New("none"), want: none},
		"all that fits":    {granted: math.MaxUint64, want: math.MaxInt64/2 + heapRoom},
		"GOMEMLIMIT":       {env: map[string]string{"GOMEMLIMIT": "1GiB"}, granted: 128 << 20, want: none},
		"empty GOMEMLIMIT": {env: map[string]string{"GOMEMLIMIT": ""}, granted: 1000, want: 500 + heapRoom},
		"GOGC":             {env: map[string]string{"GOGC": "50"}, granted: 128 << 20, want: 88 << 20},
	} {
		look := func(name string) (string, bool) { value, ok := test.env[name]; return value, ok }
		end := fitMemory(look, func() (uint64, error) { return test.granted, test.err })
		if got := debug.SetMemoryLimit(-1); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
		end()
		if got := debug.SetMemoryLimit(-1); got != none {
			t.Errorf("%s: %d is left", name, got)
		}
	}
}
