package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// Phase is how far a rotation is.
type Phase string

// The phases, in order.
const (
	Idle     Phase = "none"
	Added    Phase = "a new key was added"
	Sealing  Phase = "the new key is in use, values are sealed anew"
	Sessions Phase = "values are sealed anew, sessions from before are still accepted"
)

// Progress is where a rotation stands and what it waits for. By is true where that is the operator.
type Progress struct {
	Phase Phase
	Waits string
	By    bool
}

// view is what the database says.
type view struct {
	nodes  []models.KeyNode
	states []models.KeyState
}

func (r *Rotation) look(ctx context.Context) (view, error) {
	var v view
	var err error
	if v.nodes, err = r.Store.KeyNodes(ctx); err != nil {
		return v, err
	}
	v.states, err = r.Store.KeyStates(ctx)
	return v, err
}

func (v view) state(kind, name string) (models.KeyState, bool) {
	i := slices.IndexFunc(v.states, func(s models.KeyState) bool { return s.Kind == kind && s.Name == name })
	if i < 0 {
		return models.KeyState{Kind: kind, Name: name, Prefix: secrets.SealPrefix(name)}, false
	}
	return v.states[i], true
}

// PhaseOf is the phase of which a key file with these keys is.
func PhaseOf(names secrets.KeyNames) Phase {
	switch {
	case names.Next() != "":
		return Added
	case len(names.Old()) > 0:
		return Sealing
	case len(names.OldSessions()) > 0:
		return Sessions
	}
	return Idle
}

// leads tells whether this process does what one has to do for all: the node that runs longest
// among those that seal with the new key, or a command where no server runs.
func (r *Rotation) leads(v view) bool {
	sealing := r.Keys.Names().Sealing
	for _, node := range v.nodes {
		if node.Sealing == sealing {
			return node.ID == r.node.ID
		}
	}
	return len(v.nodes) == 0
}

// Advance does what can be done now, and says where that leaves the rotation. It does nothing
// where none was begun.
func (r *Rotation) Advance(ctx context.Context) (Progress, error) {
	if err := r.Reload(ctx, false); err != nil {
		return Progress{}, err
	}
	v, err := r.look(ctx)
	if err != nil {
		return Progress{}, err
	}
	names := r.Keys.Names()
	switch PhaseOf(names) {
	case Added:
		return r.use(ctx, v, names)
	case Sealing:
		return r.reseal(ctx, v, names)
	case Sessions:
		return r.endSessionKeys(ctx, v, names)
	}
	return Progress{Phase: Idle}, nil
}

// use has the new key seal and sign, once all that run can open and verify.
func (r *Rotation) use(ctx context.Context, v view, names secrets.KeyNames) (Progress, error) {
	if waits := unaware(v, names.Next()); waits != "" {
		return Progress{Phase: Added, Waits: waits}, nil
	}
	waits, err := r.change(ctx, secrets.UseNewKeys, "the new key "+names.Next()+" used")
	return Progress{Phase: Added, Waits: waits, By: waits != ""}, err
}

// unaware names a node that cannot open what key seals.
func unaware(v view, key string) string {
	for _, node := range v.nodes {
		if !node.Opens(key) {
			return fmt.Sprintf("the server %s has not read the new key %s yet", node.Name, key)
		}
	}
	return ""
}

// change makes one change of the source. Where only the operator can, it returns what for.
func (r *Rotation) change(ctx context.Context, change secrets.KeyChange, what string) (waits string, err error) {
	if r.canChange() {
		err := r.Source.Change(ctx, change)
		if err == nil {
			r.Log.Info("keys changed", "what", what)
			return "", r.Reload(ctx, false)
		}
		if !errors.Is(err, secrets.ErrKeysReadOnly) {
			return "", err
		}
		r.readOnly = true
	}
	return "the " + r.Source.Name + " is to be changed: " + what, nil
}

// reseal seals anew what is sealed with old keys, closes these once all seal with the new one, and
// retires them when that and the steps under way are done.
func (r *Rotation) reseal(ctx context.Context, v view, names secrets.KeyNames) (Progress, error) {
	gone, err := r.unused(ctx, v, names)
	if err != nil {
		return Progress{Phase: Sealing}, err
	}
	if len(gone) < len(names.Old()) {
		waits, err := r.finishValues(ctx, v, names)
		if err != nil || waits != "" {
			return Progress{Phase: Sealing, Waits: waits}, err
		}
		return r.Advance(ctx)
	}
	waits, err := r.change(ctx, secrets.DropKeys(gone, nil), "old sealing keys removed")
	return Progress{Phase: Sealing, Waits: waits, By: waits != ""}, err
}

// unused lists the old keys that are retired and by which indeed nothing is sealed: a database
// put back in part may need them.
func (r *Rotation) unused(ctx context.Context, v view, names secrets.KeyNames) ([]string, error) {
	var gone []string
	for _, name := range names.Old() {
		state, _ := v.state(models.KeySeal, name)
		if state.RetiredAt.IsZero() {
			continue
		}
		use, err := r.Store.KeyUse(ctx, state)
		if err != nil {
			return nil, err
		}
		if use.Values == 0 {
			gone = append(gone, name)
		}
	}
	return gone, nil
}

// finishValues returns what it waits for, empty once the old keys are retired.
func (r *Rotation) finishValues(ctx context.Context, v view, names secrets.KeyNames) (string, error) {
	if !r.leads(v) {
		return r.left(ctx, v, names)
	}
	damaged, err := r.resealAll(ctx, names)
	if err != nil {
		return "", err
	}
	if damaged != "" {
		return damaged, nil
	}
	if waits, err := r.close(ctx, v, names); err != nil || waits != "" {
		return waits, err
	}
	for _, name := range names.Old() {
		key, _ := v.state(models.KeySeal, name)
		err := r.Store.RetireKey(ctx, r.Actor, key)
		if errors.Is(err, models.ErrConflict) {
			return r.dependents(ctx, key)
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// close closes the old keys once all that run seal and sign with the new ones, and waits for what
// was sealed before.
func (r *Rotation) close(ctx context.Context, v view, names secrets.KeyNames) (waits string, err error) {
	var open []models.KeyState
	for _, kind := range []struct {
		name string
		keys []string
	}{{models.KeySeal, names.Old()}, {models.KeySession, names.OldSessions()}} {
		for _, name := range kind.keys {
			key, closed := v.state(kind.name, name)
			if !closed {
				open = append(open, key)
			} else if kind.name == models.KeySeal && r.Now() < key.ClosedAt.Add(r.Settle) {
				waits = "requests under way are waited for"
			}
		}
	}
	if len(open) > 0 {
		if waits := r.unsettled(v, names); waits != "" {
			return waits, nil
		}
		return "requests under way are waited for", r.Store.CloseKeys(ctx, r.Actor, open)
	}
	return waits, nil
}

// unsettled says which node does not seal with the new key, or does only since a moment ago.
func (r *Rotation) unsettled(v view, names secrets.KeyNames) string {
	for _, node := range v.nodes {
		if node.Sealing != names.Sealing {
			return fmt.Sprintf("the server %s does not use the new key %s yet", node.Name, names.Sealing)
		}
		if r.Now() < node.Since.Add(r.Settle) {
			return "requests under way are waited for"
		}
	}
	return ""
}

// left is what there is to do for the node that leads.
func (r *Rotation) left(ctx context.Context, v view, names secrets.KeyNames) (string, error) {
	if waits := r.unsettled(v, names); waits != "" {
		return waits, nil
	}
	for _, name := range names.Old() {
		key, _ := v.state(models.KeySeal, name)
		if waits, err := r.dependents(ctx, key); err != nil || waits != "" {
			return waits, err
		}
	}
	return "the server that runs longest looks through all values once more", nil
}

func (r *Rotation) dependents(ctx context.Context, key models.KeyState) (string, error) {
	use, err := r.Store.KeyUse(ctx, key)
	switch {
	case err != nil:
		return "", err
	case use.Values > 0:
		return models.Count(use.Values, "value") + " left", nil
	case use.Steps > 0:
		return fmt.Sprintf("%s of signing in or setting up an app that began before, 10 minutes at most", models.Count(use.Steps, "step")), nil
	case use.Sessions > 0:
		return models.Count(use.Sessions, "session") + " from before", nil
	}
	return "", nil
}

// endSessionKeys retires keys of cookies once no session that they may have signed is left.
func (r *Rotation) endSessionKeys(ctx context.Context, v view, names secrets.KeyNames) (Progress, error) {
	waits := ""
	var err error
	if r.leads(v) {
		if waits, err = r.close(ctx, v, names); err != nil || waits != "" {
			return Progress{Phase: Sessions, Waits: waits}, err
		}
	}
	var gone []string
	for _, name := range names.OldSessions() {
		key, closed := v.state(models.KeySession, name)
		if closed && key.RetiredAt.IsZero() && r.leads(v) {
			err = r.Store.RetireKey(ctx, r.Actor, key)
			if err == nil {
				key.RetiredAt = r.Now()
			}
		}
		if err != nil && !errors.Is(err, models.ErrConflict) {
			return Progress{Phase: Sessions}, err
		}
		if !key.RetiredAt.IsZero() {
			gone = append(gone, name)
			continue
		}
		if waits, err = r.dependents(ctx, key); err != nil {
			return Progress{Phase: Sessions}, err
		}
	}
	if len(gone) == 0 {
		return Progress{Phase: Sessions, Waits: waits}, nil
	}
	asked, err := r.change(ctx, secrets.DropKeys(nil, gone), "old session keys removed")
	if asked != "" {
		waits = asked
	}
	return Progress{Phase: Sessions, Waits: waits, By: asked != ""}, err
}
