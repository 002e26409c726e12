package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

// silent is for what ReverseProxy would print: the answer and the request's log line say it.
var silent = log.New(io.Discard, "", 0)

// statusClientLeft is for a client that did not wait.
const statusClientLeft = 499

// fail answers a call whose upstream did not. What failed behind us costs nothing; whoever
// left or sent half a request pays, if the upstream had begun to work.
func (x *exchange) fail(_ http.ResponseWriter, _ *http.Request, err error) {
	x.own()
	if x.endedHere(err) {
		return
	}
	sentence := ""
	broken := x.clientError()
	switch {
	case errors.Is(context.Cause(x.in.Context()), errIdle):
		x.status, sentence = http.StatusGatewayTimeout, "Nothing moved between you and the API for too long. Send the request again."
	// The server ends the context of a request whose rest did not come, too.
	case errors.Is(broken, os.ErrDeadlineExceeded):
		x.status, sentence = http.StatusRequestTimeout, "The rest of the request did not come in time. Send it again, faster."
	case x.in.Context().Err() != nil:
		x.status = statusClientLeft
	case broken != nil:
		x.status, sentence = http.StatusBadRequest, "The request ended early or was not well formed. Send it again, whole."
	case timedOut(err):
		x.status, sentence = http.StatusGatewayTimeout, "The API behind this address did not answer in time. Try again later."
	default:
		x.status, sentence = http.StatusBadGateway, "The API behind this address cannot be reached right now. Try again in a moment."
	}
	if x.status >= http.StatusInternalServerError || !x.reached.Load() {
		x.points = 0
	}
	if broken != nil {
		x.answer.Header().Set("Connection", "close") // nobody knows where the next request begins
	}
	x.from.note("failed", cause(err))
	x.refuse(&x.answer, x.from, x.status, sentence)
}

// clientError is what went wrong with the request's body on the client's side.
func (x *exchange) clientError() error {
	if x.body == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.body.failed
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// cause says what happened without quoting what the other side sent.
func cause(err error) string {
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return "the call was ended"
	case errors.As(err, &certificate):
		return certificate.Error()
	case errors.As(err, &network):
		return network.Error()
	case timedOut(err):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return fmt.Sprintf("%T", err)
}
