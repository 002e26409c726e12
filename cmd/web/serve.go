package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/api"
	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/oauth"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/tokens"
	"github.com/latchkey/latchkey/tracing"
	"github.com/latchkey/latchkey/views"
	"github.com/latchkey/latchkey/webhooks"
)

const (
	// lastUsedEvery is how far last-used times lag behind.
	lastUsedEvery = time.Second
	// restFor is how long it may take to store what waits, once no request runs.
	restFor = 35 * time.Second
	// parallelHashes bounds the memory and cores that argon2id takes.
	parallelHashes = 2
	// realm is what tokens are for, in WWW-Authenticate.
	realm = "latchkey"
	// mailFor is how long mail that waits may take at the stop.
	mailFor = 10 * time.Second
)

func (p *program) serveCommand() *cli.Command {
	return &cli.Command{Name: "serve", Usage: "serve the pages and the token service, as without a command", Action: p.serve}
}

// serve opens, migrates, wires, starts, and stops in order: first the listener
// and the requests that run, then what they feed, then the database.
func (p *program) serve(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	defer fitMemory(p.env, grantedMemory)()
	to, err := readTraces(p.env)
	if err != nil {
		return err
	}
	log, flushLog := newLog(config, p.stderr)
	defer flushLog()
	front, err := newFront(ctx, &config, log)
	if err != nil {
		return err
	}
	defer front.close()
	return p.serveBehind(ctx, front, config, to, log)
}

// serveBehind is what the front lets requests in to.
func (p *program) serveBehind(ctx context.Context, front *front, config Config, to *tracing.Settings, log *slog.Logger) error {
	db, keys, keyring, err := openServing(ctx, config, log)
	if err != nil {
		return err
	}
	if err := p.announce(ctx, db, config); err != nil {
		return errors.Join(err, db.Close())
	}
	traces := startTraces(ctx, to, log)
	room := newTokenRoom(context.WithoutCancel(ctx), config, db, traced(db, traces), keys, log)
	mailer := mail.New(context.WithoutCancel(ctx), config.Mail, log, clock)
	calls := newCallRoom(context.WithoutCancel(ctx), config, db, keys, room, mailer, log)
	w := wire(config, db, keys, room, calls, mailer, log)
	w.traces = traces
	calls.counts.start(context.WithoutCancel(ctx), calls)
	hooks := webhooks.NewWorker(db, keys, webhookPolicy(config), log, clockMillis)
	done := &jobs{}
	sweeping, stopSweeping := context.WithCancel(ctx)
	swept := sweep(sweeping, db, config, done, log)
	warned := inOrder(warn(sweeping, db, hooks, mailer, config, log), keyring.Run(sweeping, hangups(ctx)))
	front.in.getCertificates(sweeping, config, db, keys)
	log.Info("serving", "version", version(), "address", front.in.public.Addr().String(), "base_url", config.BaseURL, "database", config.Database)
	err = front.open(config, w, rooms{db, room, calls, mailer, hooks, done}) //nolint:contextcheck // each request brings its own
	if err == nil {
		p.tell(ctx, "READY=1", log)
		err = front.run(ctx)
		p.stopping(ctx, log)
	}
	err = errors.Join(err, front.drain(ctx, config))
	stopSweeping()
	swept()
	warned()
	front.in.wait()
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), restFor)
	defer cancel()
	err = errors.Join(err, calls.close(rest), room.close(rest), closeMail(rest, mailer), db.Close())
	closeTraces(rest, traces)
	return err
}

func inOrder(first, second func()) func() {
	return func() { first(); second() }
}

// hangups are the signals that ask for the keys to be read again.
func hangups(ctx context.Context) <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(signals) })
	return signals
}

// closeMail comes after what must not be lost: a server that hangs takes the mail's time alone.
func closeMail(ctx context.Context, mailer *mail.Mailer) error {
	limit, cancel := context.WithTimeout(ctx, mailFor)
	defer cancel()
	return mailer.Close(limit)
}

// tokenRoom is what package tokens runs behind the requests.
type tokenRoom struct {
	cache    *tokens.Cache
	feed     *tokens.Feed
	issuer   *tokens.Issuer
	lastUsed *tokens.LastUsed
	clients  *tokens.Clients
	verifier *tokens.Verifier
	tickets  *tokens.Tickets

	revocations *tokens.Revocations
}

// newTokenRoom starts it; asked is db, or what records what is asked of it. ctx bounds its writes; close ends it.
func newTokenRoom(ctx context.Context, config Config, db *store.Store, asked tokens.Store, keys *secrets.Keys, log *slog.Logger) tokenRoom {
	cache := tokens.NewCache()
	db.Subscribe(cache.Forget)
	lastUsed := tokens.NewLastUsed(ctx, asked, log, lastUsedEvery)
	verifier := tokens.NewVerifier(asked, cache, lastUsed, clockMillis)
	revocations := tokens.NewRevocations(ctx, db, log)
	db.Subscribe(revocations.Hear)
	return tokenRoom{
		cache: cache, feed: tokens.NewFeed(ctx, asked, cache, log),
		issuer:   tokens.NewIssuer(ctx, asked, keys, config.TokenPrefix, config.Limits.MaxLifespan, clockMillis),
		lastUsed: lastUsed, clients: tokens.NewClients(asked, cache), verifier: verifier, tickets: tokens.NewTickets(db, verifier, clockMillis), revocations: revocations,
	}
}

// close stores what waits. No request runs any more.
func (r tokenRoom) close(ctx context.Context) error {
	r.feed.Close()
	r.revocations.Close()
	return errors.Join(r.issuer.Close(ctx), r.lastUsed.Close(ctx))
}

// wire builds everything by hand; it can be read from top to bottom.
func wire(config Config, db *store.Store, keys *secrets.Keys, room tokenRoom, calls callRoom, mailer *mail.Mailer, log *slog.Logger) world {
	docsURL := config.DocsURL
	if docsURL == "" {
		docsURL = views.DocsPath
	}
	https := strings.HasPrefix(config.BaseURL, "https://")
	limiters := calls.counts.limiters()
	return world{
		log: log, https: https, baseURL: config.BaseURL, proxies: config.TrustedProxies, formTargets: config.formTargets(),
		pages: handlers.New(handlers.Deps{
			Store: db, Issuer: room.issuer, Keys: keys, Passwords: secrets.NewPasswords(parallelHashes), Mail: mailer, Log: log, Now: clock,
			BaseURL: config.BaseURL, HTTPS: https, DocsURL: docsURL, Limits: config.Limits,
			SessionIdle: config.SessionIdle, SessionMax: config.SessionMax, KeepAudit: config.Keep.Audit,
			SignUp: config.SignUp, RequireSecondFactor: config.RequireSecondFactor, Provider: config.openIDProvider(), Webhooks: webhookPolicy(config),
			Gateway: calls.gateway, Meter: calls.meter, Limiters: limiters,
			Installation: models.Installation{Version: version(), StartedAt: clockMillis(), Settings: config.Shown},
		}),
		oauth: oauth.New(oauth.Deps{
			Store: db, Issuer: room.issuer, Verifier: room.verifier,
			Clients: room.clients, LastUsed: room.lastUsed, Refusals: calls.refusals, Tickets: room.tickets, Revocations: room.revocations, Upstreams: config.Upstreams,
			IssuerURL: config.BaseURL, Scopes: config.Limits.Scopes, DocsURL: absolute(config.BaseURL, docsURL), Realm: realm, Now: clock, Limiters: limiters,
		}),
		api:     api.New(api.Deps{Store: db, Verifier: room.verifier, Meter: calls.meter, Realm: realm, PointsSecret: config.PointsSecret, Now: clock, Limiters: limiters}),
		gateway: calls.gateway,
	}
}

// absolute puts the base address before a path.
func absolute(baseURL, address string) string {
	if strings.HasPrefix(address, "/") {
		return baseURL + address
	}
	return address
}

// announce says where Latchkey serves and, while no account exists, prints the
// one-time address that makes the first.
func (p *program) announce(ctx context.Context, db *store.Store, config Config) error {
	exists, err := db.AnyUser(ctx)
	if err != nil {
		return err
	}
	if exists {
		return p.print("Latchkey serves on " + config.BaseURL)
	}
	code := secrets.Code()
	// Whichever node the browser comes to knows it.
	if err := db.BeginCeremony(ctx, models.Ceremony{IDHash: secrets.Hash(code), Kind: models.CeremonySetup}, models.SetupCodeLives); err != nil {
		return err
	}
	return p.print("Latchkey is new here. Make the first account: " + config.BaseURL + views.SetupPath + "?code=" + code.Reveal())
}

func listen(ctx context.Context, addr, setting string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the address %s is in use: stop the other program or set %s", addr, setting)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("this user may not listen on %s: choose a port above 1023 in %s", addr, setting)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s, correct %s: %w", addr, setting, err)
	}
	return listener, nil
}
