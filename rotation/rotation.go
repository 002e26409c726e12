// Package rotation replaces the keys of the key file beside running servers: a new key is
// added, used once every process knows it, values are sealed anew, and the old key goes once
// nothing depends on it. What is done stands in the key file and the database, so whoever
// comes next goes on from there. It knows neither HTTP nor SQL.
package rotation

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// Store is what a rotation asks of the database.
type Store interface {
	SeeKeys(ctx context.Context, node models.KeyNode) error
	LeaveKeys(ctx context.Context, id string) error
	KeyNodes(ctx context.Context) ([]models.KeyNode, error)
	KeyStates(ctx context.Context) ([]models.KeyState, error)
	CloseKeys(ctx context.Context, actor models.Actor, keys []models.KeyState) error
	RetireKey(ctx context.Context, actor models.Actor, key models.KeyState) error
	KeyUse(ctx context.Context, key models.KeyState) (models.KeyUse, error)
	SealedTables() []string
	SealedValues(ctx context.Context, table string, prefix []byte, after string) ([]models.SealedValue, error)
	Reseal(ctx context.Context, table string, values []models.SealedValue) error
}

// Source is where the keys come from.
type Source struct {
	// Name says so in sentences.
	Name string
	// Read returns the content of a key file.
	Read func(ctx context.Context) ([]byte, error)
	// Stamp changes when Read may return something else.
	Stamp func() string
	// Change changes the keys where they lie. It is nil, or returns secrets.ErrKeysReadOnly,
	// where the operator has to.
	Change func(ctx context.Context, change secrets.KeyChange) error
}

// Keys reads the source.
func (s Source) Keys(ctx context.Context) (*secrets.Keys, error) {
	content, err := s.Read(ctx)
	if err != nil {
		return nil, err
	}
	return secrets.ParseKeys(s.Name, content)
}

// Deps are what a rotation is made of.
type Deps struct {
	Store  Store
	Source Source
	// Keys are what this process uses; they are replaced as the source changes.
	Keys *secrets.Keys
	// Fits refuses keys of another database.
	Fits func(ctx context.Context, keys *secrets.Keys) error
	Log  *slog.Logger
	Now  func() models.Time
	// Rest is called between steps that kept others from writing.
	Rest func(ctx context.Context, step func(ctx context.Context) (done bool, err error)) error
	// Settle is how long after all nodes use a key nothing sealed with the one before is on its
	// way to the database any more.
	Settle time.Duration
	// Actor is whom the audit log names.
	Actor models.Actor
}

// Rotation looks after the keys of one process.
type Rotation struct {
	Deps
	// mu guards what follows and lets one goroutine at a time read the source. The ID of node,
	// which it has once this process serves, stays.
	mu    sync.Mutex
	node  models.KeyNode
	stamp string
	seen  models.Time

	// readOnly is set once the source could not be changed. It is of the goroutine that works
	// alone, failed of the one that follows.
	readOnly bool
	failed   string
}

// New returns the rotation of a process that has read its keys. stamp is the source's from
// before that.
func New(deps Deps, stamp string) *Rotation {
	return &Rotation{Deps: deps, stamp: stamp}
}

// Reload reads the source again where it has changed, or may have. Keys that cannot be used are
// not taken: those of before go on.
func (r *Rotation) Reload(ctx context.Context, force bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	stamp := r.Source.Stamp()
	if stamp == r.stamp && !force {
		return nil
	}
	keys, err := r.Source.Keys(ctx)
	if err == nil {
		err = r.Fits(ctx, keys)
	}
	if err != nil {
		return fmt.Errorf("the keys of before are still in use: %w", err)
	}
	r.stamp = stamp
	if keys.Names().Equal(r.Keys.Names()) {
		return nil
	}
	r.Keys.Replace(keys)
	r.node.Since = r.Now()
	r.seen = 0
	return nil
}

// canChange tells whether the source may be changed by this process, as far as is known.
func (r *Rotation) canChange() bool { return r.Source.Change != nil && !r.readOnly }

// tell notes which keys this process uses: at once when they have changed, else every minute.
func (r *Rotation) tell(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Now()
	if r.node.ID == "" || r.seen != 0 && now < r.seen.Add(tellEvery) {
		return nil
	}
	names := r.Keys.Names()
	r.node.Seal, r.node.Sealing, r.node.Sessions = strings.Join(names.Seal, " "), names.Sealing, strings.Join(names.Sessions, " ")
	if err := r.Store.SeeKeys(ctx, r.node); err != nil {
		return err
	}
	r.seen = now
	return nil
}

// Join makes this process one of the nodes that a rotation waits for. It comes before the
// process serves: a key that is used from then on, it knows.
func (r *Rotation) Join(ctx context.Context, id string) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	r.node = models.KeyNode{ID: id, Name: fmt.Sprintf("%s, process %d", host, os.Getpid()), Since: r.Now()}
	if err := r.tell(ctx); err != nil {
		return err
	}
	if err := r.Reload(ctx, false); err != nil {
		return err
	}
	return r.tell(ctx)
}
