package main

import (
	"os"
	"runtime"
)

// heapRoom is how much the program may allocate between two collections beyond
// what it would by itself. A small heap is collected many times a second under
// load, which takes a tenth of the time.
const heapRoom = 40 << 20

// spareCollections makes room by an array that is never touched, so that the
// system gives it no memory: the collector counts it as in use. An operator who
// sets the collector's own variables is left alone. The function that is returned
// ends it.
func spareCollections() (end func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	room := make([]byte, heapRoom)
	return func() { runtime.KeepAlive(room) }
}
