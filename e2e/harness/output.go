package harness

import (
	"bytes"
	"strings"
	"sync"
)

// Output collects what a program writes while others read it.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write takes what the program writes.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Count says how often a text was written.
func (o *Output) Count(text string) int { return strings.Count(o.String(), text) }
