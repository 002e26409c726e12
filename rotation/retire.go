package rotation

import (
	"context"
	"errors"
	"fmt"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// underWay is what a rotation waits for where a request may have sealed with the key of before.
const underWay = "requests under way are waited for"

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
				waits = underWay
			}
		}
	}
	if len(open) > 0 {
		if waits := r.unsettled(v, names); waits != "" {
			return waits, nil
		}
		return underWay, r.Store.CloseKeys(ctx, r.Actor, open)
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
			return underWay
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
	if r.leads(v) {
		if waits, err := r.close(ctx, v, names); err != nil || waits != "" {
			return Progress{Phase: Sessions, Waits: waits}, err
		}
	}
	gone, waits, err := r.retireSessionKeys(ctx, v, names)
	if err != nil || len(gone) == 0 {
		return Progress{Phase: Sessions, Waits: waits}, err
	}
	asked, err := r.change(ctx, secrets.DropKeys(nil, gone), "old session keys removed")
	if asked != "" {
		waits = asked
	}
	return Progress{Phase: Sessions, Waits: waits, By: asked != ""}, err
}

// retireSessionKeys lists the old keys that are retired, and says what the others wait for.
func (r *Rotation) retireSessionKeys(ctx context.Context, v view, names secrets.KeyNames) (gone []string, waits string, err error) {
	for _, name := range names.OldSessions() {
		key, closed := v.state(models.KeySession, name)
		if closed && key.RetiredAt.IsZero() && r.leads(v) {
			err := r.Store.RetireKey(ctx, r.Actor, key)
			if err != nil && !errors.Is(err, models.ErrConflict) {
				return nil, "", err
			}
			if err == nil {
				key.RetiredAt = r.Now()
			}
		}
		if !key.RetiredAt.IsZero() {
			gone = append(gone, name)
			continue
		}
		if waits, err = r.dependents(ctx, key); err != nil {
			return nil, "", err
		}
	}
	return gone, waits, nil
}
