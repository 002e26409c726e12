package main

import (
	"math"
	"runtime"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// heapRoom is how much the program may allocate between two collections beyond
	// what it would by itself. A small heap is collected many times a second under
	// load, which takes a tenth of the time.
	heapRoom = 40 << 20
	// beside is what is not Go's of the memory that the system grants, or a tenth where that
	// is more: SQLite's caches, what the kernel holds for connections, a backup that runs in
	// the same container.
	beside = 40 << 20
)

// fitMemory makes the collector work harder as the memory comes to an end that the
// cgroup grants (a container's, a systemd unit's), and less than it would by itself
// while there is room. An operator who sets the collector's own variables is left
// alone. The function that is returned ends it.
func fitMemory(env lookup, granted func() (uint64, error)) (end func()) {
	limit := chosen(env, "GOMEMLIMIT")
	percent := chosen(env, "GOGC")
	var room []byte
	if !limit && !percent {
		// Never touched, so that the system gives it no memory: the collector counts it
		// as in use.
		room = make([]byte, heapRoom)
	}
	before := debug.SetMemoryLimit(-1)
	if bytes, err := granted(); !limit && err == nil {
		debug.SetMemoryLimit(goLimit(bytes, len(room)))
	}
	return func() {
		debug.SetMemoryLimit(before)
		runtime.KeepAlive(room)
	}
}

func chosen(env lookup, name string) bool {
	value, ok := env(name)
	return ok && value != ""
}

// goLimit is the collector's limit where the system grants so many bytes. What is
// never touched counts for the collector and not for the system.
func goLimit(granted uint64, untouched int) int64 {
	others := min(max(granted/10, beside), granted/2)
	return int64(min(granted-others, math.MaxInt64/2)) + int64(untouched)
}

// grantedMemory is the limit of this process's cgroup and of those around it.
func grantedMemory() (uint64, error) { return memlimit.FromCgroup() }
