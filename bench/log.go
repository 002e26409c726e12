package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// logTail is the end of the product's log, for messages.
func (l *lab) logTail() string {
	const tail = 2000
	info, err := l.log.Stat()
	if err != nil {
		return ""
	}
	text := make([]byte, min(info.Size(), tail))
	_, _ = l.log.ReadAt(text, max(0, info.Size()-tail)) // what can be read is shown
	return string(text)
}

// logErrors fails where the product logged an error of its own since the log
// was emptied.
func (l *lab) logErrors() error {
	lines := bufio.NewScanner(io.NewSectionReader(l.log, 0, 1<<40))
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), []byte(" level=ERROR ")) {
			return fmt.Errorf("the product logged: %s", lines.Text())
		}
	}
	return lines.Err()
}
