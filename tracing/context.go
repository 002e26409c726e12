package tracing

import (
	"context"
	"encoding/hex"
	"net/http"
	"strings"
)

// place is where a span stands: what W3C Trace Context tells of it.
type place struct {
	trace   [16]byte
	id      [8]byte
	sampled bool
	// state is of other vendors and passed on as it is.
	state string
}

func (p place) valid() bool { return p.trace != [16]byte{} && p.id != [8]byte{} }

const (
	parentHeader = "Traceparent"
	stateHeader  = "Tracestate"
	// parentLength is that of version 00; later ones may be longer.
	parentLength = 55
	maxState     = 512
)

// placeFrom reads the headers of a request (W3C Trace Context, sections 3.2 and 3.3). What
// breaks the rules is as if it were not there.
func placeFrom(h http.Header) place {
	var p place
	values := h[parentHeader]
	if len(values) != 1 {
		return place{}
	}
	text := values[0]
	if len(text) < parentLength || text[2] != '-' || text[35] != '-' || text[52] != '-' || text[:2] == "ff" {
		return place{}
	}
	if text[:2] == "00" && len(text) != parentLength || len(text) > parentLength && text[parentLength] != '-' {
		return place{}
	}
	var version, flags [1]byte
	if !readHex(version[:], text[:2]) || !readHex(p.trace[:], text[3:35]) || !readHex(p.id[:], text[36:52]) || !readHex(flags[:], text[53:55]) || !p.valid() {
		return place{}
	}
	p.sampled = flags[0]&1 == 1
	if state := strings.Join(h[stateHeader], ","); len(state) <= maxState && strings.IndexFunc(state, func(c rune) bool { return c < ' ' || c > '~' }) < 0 {
		p.state = state
	}
	return p
}

// readHex reads small letters alone.
func readHex(into []byte, text string) bool {
	_, err := hex.Decode(into, []byte(text))
	return err == nil && strings.ToLower(text) == text
}

// Headers are those by which an upstream continues the trace that ctx is in.
func (*Traces) Headers(ctx context.Context) (traceparent, tracestate string) {
	s := spanOf(ctx)
	if s == nil {
		return "", ""
	}
	flags := "-00"
	if s.sampled {
		flags = "-01"
	}
	return "00-" + hex.EncodeToString(s.trace[:]) + "-" + hex.EncodeToString(s.id[:]) + flags, s.state
}
