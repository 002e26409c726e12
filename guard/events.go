package guard

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// maxEvent bounds an event.
const maxEvent = 64 << 10

var errLongEvent = errors.New("an event is too long")

// event is one server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type event struct {
	// id is the last that was sent, by this event or one before; hasID tells that it was by this one.
	id         string
	hasID      bool
	name, data string
}

// events reads a stream of them.
type events struct {
	r       *bufio.Reader
	id      string
	begun   bool
	afterCR bool
}

func newEvents(r io.Reader) *events { return &events{r: bufio.NewReader(r)} }

// next waits for a whole event. What the stream breaks off in is lost.
func (s *events) next() (event, error) {
	var e event
	var data []string
	size := 0
	for {
		line, err := s.line()
		if err != nil {
			return event{}, err
		}
		if size += len(line); size > maxEvent {
			return event{}, errLongEvent
		}
		if line == "" {
			if data == nil {
				e, size = event{}, 0
				continue
			}
			e.id, e.data = s.id, strings.Join(data, "\n")
			return e, nil
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.name = value
		case "data":
			data = append(data, value)
		case "id":
			if !strings.ContainsRune(value, 0) {
				s.id, e.hasID = value, true
			}
		}
	}
}

// line reads up to LF, CR LF or CR. After a CR it does not wait for what comes next.
func (s *events) line() (string, error) {
	var line []byte
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return "", err
		}
		after := s.afterCR
		s.afterCR = c == '\r'
		switch {
		case c == '\n' && after:
		case c == '\n' || c == '\r':
			text := string(line)
			if !s.begun {
				s.begun, text = true, strings.TrimPrefix(text, "\ufeff")
			}
			return text, nil
		case len(line) >= maxEvent:
			return "", errLongEvent
		default:
			line = append(line, c)
		}
	}
}
