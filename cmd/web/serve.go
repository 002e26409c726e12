package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
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
	"github.com/latchkey/latchkey/views"
)

const (
	// lastUsedEvery is how far last-used times lag behind.
	lastUsedEvery = time.Second
	// drainFor is how long requests that run may take after the signal to stop:
	// longer than any of them may take.
	drainFor = requestTimeout + 5*time.Second
	// parallelHashes bounds the memory and cores that argon2id takes.
	parallelHashes = 2
	// realm is what tokens are for, in WWW-Authenticate.
	realm = "latchkey"
	// mailFor is how long mail that waits may take at the stop.
	mailFor = 10 * time.Second
)

func (p *program) serveCommand() *cli.Command {
	return &cli.Command{Name: "serve", Usage: "serve the pages and the token service (what web does without a command)", Action: p.serve}
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
	log, flushLog := newLog(config, p.stderr)
	defer flushLog()
	listener, err := listen(ctx, config.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	if config.BaseURL == "" {
		host, port, _ := net.SplitHostPort(listener.Addr().String())
		config.BaseURL = defaultBaseURL(host, port)
	}
	db, keys, err := open(ctx, config)
	if err != nil {
		return err
	}
	if err := p.announce(ctx, db, config); err != nil {
		return errors.Join(err, db.Close())
	}
	room := newTokenRoom(context.WithoutCancel(ctx), config, db, keys, log)
	mailer := mail.New(context.WithoutCancel(ctx), config.Mail, log, clock)
	calls := newCallRoom(context.WithoutCancel(ctx), config, db, keys, room, mailer, log)
	w := wire(config, db, keys, room, calls, mailer, log)
	calls.counts.start(context.WithoutCancel(ctx), calls)
	sweeping, stopSweeping := context.WithCancel(ctx)
	swept := sweep(sweeping, db, config, log)
	warned := warn(sweeping, db, keys, mailer, config, log)
	log.Info("serving", "version", version(), "address", listener.Addr().String(), "base_url", config.BaseURL, "database", config.Database)
	server := newServer(w)                        //nolint:contextcheck // each request brings its own
	server.RegisterOnShutdown(calls.streams.Stop) // they would not end by themselves
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	p.tell(ctx, "READY=1", log)
	select {
	case err = <-served:
	case <-ctx.Done():
		p.stopping(ctx, log)
	}
	err = errors.Join(err, drain(ctx, server))
	stopSweeping()
	swept()
	warned()
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	return errors.Join(err, calls.close(rest), room.close(rest), closeMail(rest, mailer), db.Close())
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
	verifier *tokens.Verifier
	tickets  *tokens.Tickets
}

// newTokenRoom starts it. ctx bounds its writes; close ends it.
func newTokenRoom(ctx context.Context, config Config, db *store.Store, keys *secrets.Keys, log *slog.Logger) tokenRoom {
	cache := tokens.NewCache()
	db.Subscribe(cache.Forget)
	lastUsed := tokens.NewLastUsed(ctx, db, log, lastUsedEvery)
	verifier := tokens.NewVerifier(db, cache, lastUsed, clockMillis)
	return tokenRoom{
		cache: cache, feed: tokens.NewFeed(ctx, db, cache, log),
		issuer:   tokens.NewIssuer(ctx, db, keys, config.TokenPrefix, config.Limits.MaxLifespan, clockMillis),
		lastUsed: lastUsed, verifier: verifier, tickets: tokens.NewTickets(db, verifier, clockMillis),
	}
}

// close stores what waits. No request runs any more.
func (r tokenRoom) close(ctx context.Context) error {
	r.feed.Close()
	return errors.Join(r.issuer.Close(ctx), r.lastUsed.Close(ctx))
}

// drain outlives the signal that ended ctx.
func drain(ctx context.Context, server *http.Server) error {
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		return fmt.Errorf("requests were still running after %s and were cut: %w", drainFor, err)
	}
	return nil
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
		log: log, https: https, proxies: config.TrustedProxies, formTargets: config.formTargets(),
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
			Clients: tokens.NewClients(db, room.cache), LastUsed: room.lastUsed, Refusals: calls.refusals, Tickets: room.tickets, Upstreams: config.Upstreams,
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

func listen(ctx context.Context, addr string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the address %s is in use: stop the other program or set LATCHKEY_ADDR", addr)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("this user may not listen on %s: choose a port above 1023 in LATCHKEY_ADDR", addr)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s, correct LATCHKEY_ADDR: %w", addr, err)
	}
	return listener, nil
}
