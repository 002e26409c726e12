package guard

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	// connectFor bounds the way to the first event, quietFor the silence after it.
	connectFor, quietFor = 5 * time.Second, 2 * time.Second
	// streamFor bounds a stream, so that clocks that run apart do not come far.
	streamFor = 6 * time.Minute
	// A stream that ended is followed by another at once, or so; one that failed after a
	// while that doubles, and one that was refused after refusedWait.
	firstWait, longestWait, refusedWait = 100 * time.Millisecond, 5 * time.Second, 10 * time.Second
	// lived is how long a stream goes on that did not fail.
	lived = time.Second
	// maxAsOf is longer than any stream.
	maxAsOf = time.Hour
)

var (
	errLate         = errors.New("what it says comes too late")
	errMalformed    = errors.New("an event cannot be read")
	errFeedRefused  = errors.New("the stream of revocations is refused")
	errQuiet        = errors.New("the stream of revocations is silent")
	errLongerStream = errors.New("the stream of revocations went on for long enough")
)

// feed is what is known of the stream of revocations. It is for one goroutine.
type feed struct {
	g *Guard
	// last is the ID of the last event that was heeded, if any.
	last string
	// sent is when the request of this stream was on its way, by the steady clock.
	sent int64
	// told is whether the log says that they are not followed.
	told bool
}

func (g *Guard) follow() {
	f := &feed{g: g}
	wait := firstWait
	for {
		began := g.cache.elapsed()
		err := f.stream(g.ctx)
		if g.ctx.Err() != nil {
			return
		}
		f.report(err)
		pause := jitter(firstWait)
		switch {
		case errors.Is(err, errFeedRefused):
			g.cache.distrust()
			pause = refusedWait + jitter(refusedWait)
		case g.cache.elapsed()-began < int64(lived):
			pause = wait/2 + jitter(wait/2)
			wait = min(2*wait, longestWait)
		default:
			wait = firstWait
		}
		select {
		case <-time.After(pause):
		case <-g.ctx.Done():
			return
		}
	}
}

// report tells the log once, when answers are not remembered any more or are again.
func (f *feed) report(err error) {
	if _, trusted := f.g.cache.trusted(); err != nil && trusted && !errors.Is(err, errFeedRefused) {
		return
	}
	if err == nil && f.told {
		f.told = false
		f.g.log.Info("the revocations are followed")
	} else if err != nil && !f.told {
		f.told = true
		f.g.log.Warn("the revocations cannot be followed: Latchkey is asked about each call", "error", err)
	}
}

// stream follows one stream to its end.
func (f *feed) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(connectFor, func() { cancel(errQuiet) })
	defer quiet.Stop()
	defer time.AfterFunc(streamFor, func() { cancel(errLongerStream) }).Stop()
	response, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	for stream := newEvents(response.Body); ; {
		e, err := stream.next()
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return err
		}
		if err := f.heed(e); err != nil {
			// Nothing is known of what it said.
			f.last = ""
			f.g.cache.distrust()
			f.g.cache.forgetAll()
			return err
		}
		quiet.Reset(quietFor)
	}
}

func (f *feed) open(ctx context.Context) (*http.Response, error) {
	var sent atomic.Int64
	sent.Store(f.g.cache.elapsed())
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// Before this the request was not on its way.
		GotConn: func(httptrace.GotConnInfo) { sent.Store(f.g.cache.elapsed()) },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.g.base+"/oauth2/revocations", nil)
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{"Authorization": {f.g.authorization}, "Accept": {"text/event-stream"}, "Cache-Control": {"no-cache"}}
	if f.last != "" {
		request.Header.Set("Last-Event-ID", f.last)
	}
	response, err := f.g.following.Do(request)
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode == http.StatusOK && kind == "text/event-stream" {
		f.sent = sent.Load()
		return response, nil
	}
	_ = response.Body.Close()
	if response.StatusCode < http.StatusInternalServerError && response.StatusCode != http.StatusTooManyRequests {
		return nil, fmt.Errorf("%w: %d %s", errFeedRefused, response.StatusCode, kind)
	}
	return nil, fmt.Errorf("the stream of revocations answers %d", response.StatusCode)
}

// heed does what an event says.
func (f *feed) heed(e event) error {
	var data struct {
		SHA256      string `json:"sha256"`
		Application string `json:"application"`
		Team        string `json:"team"`
		AsOf        *int64 `json:"as_of"`
	}
	if json.Unmarshal([]byte(e.data), &data) != nil {
		return errMalformed
	}
	switch e.name {
	case "heartbeat":
		return f.beat(data.AsOf)
	case "token":
		hash, err := base64.RawURLEncoding.DecodeString(data.SHA256)
		if err != nil || len(hash) != len(key{}) {
			return errMalformed
		}
		f.g.cache.forgetToken(key(hash))
	case "application":
		if data.Application == "" {
			return errMalformed
		}
		f.g.cache.forgetApplication(data.Application)
	case "team":
		if data.Team == "" {
			return errMalformed
		}
		f.g.cache.forgetTeam(data.Team)
	default: // reset, or what a later version says
		f.g.cache.forgetAll()
	}
	if e.hasID {
		f.last = e.id
	}
	return nil
}

// beat trusts the cache. as_of counts from when the request was there, which was after it
// was sent: so however long bytes are on their way, nothing is taken for newer than it is.
func (f *feed) beat(asOf *int64) error {
	if asOf == nil || *asOf > maxAsOf.Milliseconds() || *asOf < -maxAsOf.Milliseconds() {
		return errMalformed
	}
	f.g.cache.trustFrom(f.sent + *asOf*int64(time.Millisecond))
	if _, trusted := f.g.cache.trusted(); !trusted {
		f.report(errLate)
	} else {
		f.report(nil)
	}
	return nil
}

// jitter is a random part of d.
func jitter(d time.Duration) time.Duration {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	return d * time.Duration(binary.LittleEndian.Uint32(b[:])) >> 32
}
