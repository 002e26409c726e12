package peers

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// place is what messages are sealed for.
var place = secrets.Place{Table: "peers", Column: "message"}

// Exchange is one node's part in counting together. Limiter, Meter and Streams are for
// before Start.
type Exchange struct {
	feed Feed
	keys *secrets.Keys
	log  *slog.Logger
	node uint64

	limiters []*limiter
	named    map[string]*limiter
	meter    Meter
	streams  Streams

	// heard waits to be applied. hello tells that this node may have missed something, recap
	// that another one may have.
	heard        chan string
	hello, recap atomic.Bool
	unreadable   sync.Once

	stop context.CancelFunc
	done sync.WaitGroup
	// told is what is for the goroutine that tells alone.
	told told
}

// New makes the part of a node. keys are those of all nodes: messages are sealed, so that
// nobody who reads the database's logs learns from them, and nobody else writes any.
func New(feed Feed, keys *secrets.Keys, log *slog.Logger) *Exchange {
	node := uuid.New()
	return &Exchange{
		feed: feed, keys: keys, log: log, node: binary.BigEndian.Uint64(node[:]) | 1,
		named: map[string]*limiter{}, heard: make(chan string, 256), stop: func() {}, told: newTold(),
	}
}

// Limiter shares a limiter with those that other nodes have under the same name.
func (e *Exchange) Limiter(name string, l Limiter) {
	if e.named[name] != nil {
		panic("two limiters are called " + name)
	}
	shared := &limiter{Limiter: l, name: name, toldAt: -statesAfter}
	e.limiters, e.named[name] = append(e.limiters, shared), shared
	l.Share(shared.note)
}

// Meter shares the calls of teams.
func (e *Exchange) Meter(m Meter) {
	e.meter = m
	m.Share()
}

// Streams shares what is open.
func (e *Exchange) Streams(s Streams) { e.streams = s }

// Start begins to tell and to hear, until Close.
func (e *Exchange) Start(ctx context.Context) {
	ctx, e.stop = context.WithCancel(ctx)
	e.hello.Store(true)
	e.feed.Hear(e.hear)
	e.done.Go(func() { e.listen(ctx) })
	e.done.Go(func() { e.run(ctx) })
}

// Close tells what has come last. No request runs any more.
func (e *Exchange) Close(ctx context.Context) error {
	e.stop()
	e.done.Wait()
	if err := e.tell(ctx); err != nil {
		return fmt.Errorf("counts not told to other nodes: %w", err)
	}
	return nil
}

// hear is on the goroutine that revocations are heard on too: nothing here keeps it. Where
// both this node and another one may have missed something, whoever hears last is told: the
// other one tells when it is asked, and this one unasked.
func (e *Exchange) hear(text string) {
	if text == "" {
		e.hello.Store(true)
		e.recap.Store(true)
		return
	}
	select {
	case e.heard <- text:
	default:
		e.hello.Store(true)
	}
}

func (e *Exchange) listen(ctx context.Context) {
	for {
		select {
		case text := <-e.heard:
			if err := e.read(text); err != nil {
				e.unreadable.Do(func() {
					e.log.Warn("another node's counts cannot be read: do all nodes have the same key file and version?", "error", err)
				})
			}
		case <-ctx.Done():
			return
		}
	}
}

func (e *Exchange) read(text string) error {
	sealed, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return errMessage
	}
	message, err := e.keys.Open(sealed, place)
	if err != nil {
		return err
	}
	return e.apply([]byte(message.Reveal()))
}

func (e *Exchange) run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		was := e.told.silent
		err := e.tell(ctx)
		switch {
		case ctx.Err() != nil || e.told.silent == was:
		case was:
			e.log.Info("other nodes hear again what is counted here")
		default:
			e.log.Warn("other nodes hear nothing of what is counted here", "error", err)
		}
	}
}

// tell sends what has come since the last time. What does not get through is not sent
// again, for it may have: how things stand is told later.
func (e *Exchange) tell(ctx context.Context) error {
	if e.told.silent {
		w := &writer{node: e.node}
		w.add(kindHello, "", []byte{0})
		if err := e.send(ctx, w.messages[0]); err != nil {
			e.discard()
			return err
		}
		e.told.silent = false
		e.recap.Store(true)
	}
	for _, message := range e.compose() {
		if err := e.send(ctx, message); err != nil {
			e.told.silent = true
			return err
		}
	}
	return nil
}

func (e *Exchange) send(ctx context.Context, message []byte) error {
	sealed, err := e.keys.Seal(models.NewSecret(string(message)), place)
	if err != nil {
		return fmt.Errorf("sealing a message: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, tellFor)
	defer cancel()
	return e.feed.Tell(ctx, base64.RawStdEncoding.EncodeToString(sealed))
}
