package tokens_test

import (
	"runtime"
	"testing"
	"testing/synctest"
)

// onOneProcessor runs f in a bubble, which has a clock of its own. On several, the race
// detector crashes where goroutines of a bubble meet timers that end at the same moment
// (golang/go#78156); on one it still sees what they do without order.
func onOneProcessor(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, f)
}
