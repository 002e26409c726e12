package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/latchkey/latchkey/usage"
)

// Close codes of RFC 6455 section 7.4.1, and ours of its private range, which follow the
// status codes of HTTP.
const (
	closeGoingAway     = 1001
	closeTryLater      = 1013
	closeUnauthorized  = 4401
	closePointsAreGone = 4402
)

// ending is why a call was ended.
type ending struct {
	// code and text are the close frame's.
	code uint16
	text string
	// refused is set where points or the plan ended it.
	refused usage.RefusedError
}

func (e ending) Error() string { return "ended: " + e.text }

// Who has the token is not told why it is not good any more; its team sees that on its pages.
var (
	tokenRefused = ending{code: closeUnauthorized, text: "Unauthorized"}
	scopeLost    = ending{code: closeUnauthorized, text: "Forbidden: insufficient_scope"}
	cannotSay    = ending{code: closeTryLater, text: "The token cannot be checked right now. Try again in a second."}
	goingAway    = ending{code: closeGoingAway, text: "This server is going away. Connect again."}
	idleTooLong  = ending{code: closeGoingAway, text: "Nothing was sent for 10 minutes."}
)

func noPoints(refused usage.RefusedError) ending {
	return ending{code: closePointsAreGone, text: refused.Text, refused: refused}
}

// maxReason is what of a close frame's 125 bytes the code leaves.
const maxReason = 123

// closeFrame is one of a server: not masked (RFC 6455 sections 5.5.1 and 5.1).
func (e ending) closeFrame() []byte {
	reason := e.text
	if len(reason) > maxReason {
		reason = reason[:maxReason]
		for !utf8.ValidString(reason) {
			reason = reason[:len(reason)-1]
		}
	}
	frame := []byte{0x80 | opcodeClose, byte(2 + len(reason))} //nolint:gosec // no more than 125
	return append(binary.BigEndian.AppendUint16(frame, e.code), reason...)
}

// endedHere answers a call that was ended or refused here before the upstream's answer began,
// and tells whether it was one: err is what ReverseProxy's ErrorHandler got.
func (x *exchange) endedHere(err error) bool {
	var refused usage.RefusedError
	var why ending
	if !errors.As(err, &refused) {
		if !errors.As(err, &why) && !errors.As(context.Cause(x.in.Context()), &why) {
			return false
		}
		err = why
	}
	if c, ok := x.in.Context().Value(streamKey{}).(*stream); ok && c.isTunnel() {
		return true // the connection is no longer one of HTTP
	}
	x.answer.Header().Set("Connection", "close")
	x.status, x.points = x.ended(&x.answer, x.from, err), 0
	return true
}

// ended answers why a call may not begin or go on: err is an ending or a usage.RefusedError.
// It returns the status.
func (g *Gateway) ended(w http.ResponseWriter, from Caller, err error) int {
	var refused usage.RefusedError
	var why ending
	if errors.As(err, &why) {
		refused = why.refused
	} else {
		errors.As(err, &refused)
	}
	status := http.StatusServiceUnavailable
	switch {
	case refused.Limit != "":
		return g.limited(w, from, refused)
	case why == tokenRefused:
		from.note("refused", "token ended")
		g.unauthorized(w, from, true)
		return http.StatusUnauthorized
	case why == scopeLost:
		status = http.StatusForbidden
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+g.Realm+`", error="insufficient_scope"`)
	default:
		w.Header().Set("Retry-After", "1")
	}
	from.note("refused", why.text)
	g.refuse(w, from, status, why.text)
	return status
}
