package rotation

import (
	"context"
	"errors"
	"fmt"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

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
