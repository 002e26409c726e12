package tokens

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/latchkey/latchkey/models"
)

const (
	// maxTokens and maxApplications bound the memory of the cache: about 30 MB full.
	maxTokens       = 100_000
	maxApplications = 10_000
)

type tokenHash [sha256.Size]byte

// Cache remembers tokens and clients that were good when they were read. What is
// not there is never remembered, so a guesser cannot fill it. Its answer is good
// or none: whoever finds nothing good in it asks the store. It is safe for
// concurrent use.
type Cache struct {
	// trustedUntil is how long the last word of the feed of changes holds, on the
	// stopwatch that start began: setting the clock does not lengthen it. Beyond it
	// the cache is neither read nor filled.
	trustedUntil atomic.Int64
	start        time.Time
	// notices counts what was forgotten, so that a read that began before does not
	// enter afterwards.
	notices atomic.Uint64
	// mu orders forgetting and filling; finding takes no lock.
	mu sync.Mutex

	tokens       *otter.Cache[tokenHash, cachedToken]
	applications *otter.Cache[string, *cachedApplication]
	clients      *otter.Cache[string, *models.Client]

	asked *asked
}

// cachedToken shares its longer strings with the application.
type cachedToken struct {
	id     string
	app    string
	scopes string
	epoch  int64
	made   models.Time
	ends   models.Time
}

// cachedApplication is what of an application decides about its tokens.
type cachedApplication struct {
	id, teamID, clientID, scopes       string
	epoch                              int64
	disabledAt, deletedAt, suspendedAt models.Time
}

// NewCache returns an empty cache, which is not trusted until a feed says so.
func NewCache() *Cache {
	return &Cache{
		start:        time.Now(), //nolint:forbidigo // a stopwatch, not the time of day
		tokens:       otter.Must(&otter.Options[tokenHash, cachedToken]{MaximumSize: maxTokens}),
		applications: otter.Must(&otter.Options[string, *cachedApplication]{MaximumSize: maxApplications}),
		clients:      otter.Must(&otter.Options[string, *models.Client]{MaximumSize: maxApplications}),
		asked:        &asked{},
	}
}

// Forget drops what the notice names. After it returns, nothing that was read
// before is found.
func (c *Cache) Forget(notice models.Notice) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notices.Add(1)
	if notice.Everything {
		c.drop()
		return
	}
	if len(notice.TokenHash) == sha256.Size {
		c.tokens.Invalidate(tokenHash(notice.TokenHash))
	}
	c.applications.Invalidate(notice.ApplicationID)
	c.clients.Invalidate(notice.ClientID)
	if notice.TeamTokens {
		c.forgetTeam(notice.TeamID)
	}
}

// forgetTeam needs c.mu.
func (c *Cache) forgetTeam(team string) {
	for id, app := range c.applications.All() {
		if app.teamID == team {
			c.applications.Invalidate(id)
		}
	}
	for id, client := range c.clients.All() {
		if client.Application.TeamID == team {
			c.clients.Invalidate(id)
		}
	}
}

func (c *Cache) elapsed() int64 { return int64(time.Since(c.start)) } //nolint:forbidigo // see start

func (c *Cache) trusted() bool { return c.elapsed() < c.trustedUntil.Load() }

// trust lets the cache be used until the stopwatch shows until. Where another
// process has changed something, everything is dropped before.
func (c *Cache) trust(until int64, changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if changed {
		c.drop()
	}
	c.trustedUntil.Store(until)
}

// drop needs c.mu.
func (c *Cache) drop() {
	c.notices.Add(1)
	c.tokens.InvalidateAll()
	c.applications.InvalidateAll()
	c.clients.InvalidateAll()
}

// token returns what was remembered of a token, good or not by now. No cache remembers none.
func (c *Cache) token(hash tokenHash) (models.Bearer, bool) {
	if c == nil || !c.trusted() {
		return models.Bearer{}, false
	}
	t, ok := c.tokens.GetIfPresent(hash)
	if !ok {
		return models.Bearer{}, false
	}
	app, ok := c.applications.GetIfPresent(t.app)
	if !ok {
		return models.Bearer{}, false
	}
	return models.Bearer{
		Token:    models.Token{ID: t.id, ApplicationID: app.id, TeamID: app.teamID, Scopes: t.scopes, Epoch: t.epoch, CreatedAt: t.made, ExpiresAt: t.ends},
		ClientID: app.clientID, AppScopes: app.scopes, AppEpoch: app.epoch,
		AppDisabledAt: app.disabledAt, AppDeletedAt: app.deletedAt, TeamSuspendedAt: app.suspendedAt,
	}, true
}

// keepToken remembers what was read of a token, unless anything was forgotten
// since began was taken from c.notices.
func (c *Cache) keepToken(began uint64, hash tokenHash, b models.Bearer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.notices.Load() != began || !c.trusted() {
		return
	}
	app, ok := c.applications.GetIfPresent(b.ApplicationID)
	if !ok {
		app = &cachedApplication{
			id: b.ApplicationID, teamID: b.TeamID, clientID: b.ClientID, scopes: b.AppScopes, epoch: b.AppEpoch,
			disabledAt: b.AppDisabledAt, deletedAt: b.AppDeletedAt, suspendedAt: b.TeamSuspendedAt,
		}
		c.applications.Set(app.id, app)
	}
	if b.Scopes == app.scopes {
		b.Scopes = app.scopes
	}
	c.tokens.Set(hash, cachedToken{id: b.ID, app: app.id, scopes: b.Scopes, epoch: b.Epoch, made: b.CreatedAt, ends: b.ExpiresAt})
}

func (c *Cache) client(clientID string) (*models.Client, bool) {
	if !c.trusted() {
		return nil, false
	}
	return c.clients.GetIfPresent(clientID)
}

func (c *Cache) keepClient(began uint64, client *models.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.notices.Load() == began && c.trusted() {
		c.clients.Set(client.ClientID, client)
	}
}
