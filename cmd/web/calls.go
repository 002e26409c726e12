package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/latchkey/latchkey/gateway"
	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/usage"
	"github.com/latchkey/latchkey/warnings"
)

// refusedEvery is how far the list of refused calls lags behind.
const refusedEvery = time.Second

// callRoom is what runs behind the calls of APIs.
type callRoom struct {
	meter    *usage.Meter
	refusals *gateway.Refusals
	streams  *gateway.Streams
	gateway  *gateway.Gateway
	// counts is what other nodes are told of these, and of the limiters.
	counts counting
}

// newCallRoom starts it. ctx bounds its writes; close ends it.
func newCallRoom(ctx context.Context, config Config, db *store.Store, keys *secrets.Keys, room tokenRoom, mailer *mail.Mailer, log *slog.Logger) callRoom {
	meter := usage.New(ctx, db, log, clockMillis, warnings.NewPointAlerts(db, mailer, config.BaseURL, log).Tell)
	db.Subscribe(meter.Forget)
	refusals := gateway.NewRefusals(ctx, db, log, clockMillis, refusedEvery)
	streams := gateway.NewStreams(ctx, room.verifier, meter)
	db.Subscribe(streams.Hear) // after all that it asks
	return callRoom{
		meter: meter, refusals: refusals, streams: streams, counts: newCounting(config, db, keys, log),
		gateway: gateway.New(gateway.Deps{
			Routes: config.Upstreams, Verifier: room.verifier, Meter: meter, Streams: streams, Tickets: room.tickets, Refusals: refusals,
			Host: config.GatewayHost, Realm: realm, CAs: config.UpstreamCAs, Log: log, Now: clock,
		}),
	}
}

// close waits for streams, which the server no longer counts once they are WebSockets, and
// stores what waits. No other call runs any more.
func (r callRoom) close(ctx context.Context) error {
	return errors.Join(r.streams.Close(ctx), r.meter.Close(ctx), r.refusals.Close(ctx), r.counts.close(ctx))
}
