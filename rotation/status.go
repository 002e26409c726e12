package rotation

import (
	"context"
	"fmt"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// Begin adds new keys, unless some were added and are not used yet. It returns
// secrets.ErrKeysReadOnly where that is the operator's to do.
func (r *Rotation) Begin(ctx context.Context) error {
	if r.Source.Change == nil {
		return fmt.Errorf("the %s %w", r.Source.Name, secrets.ErrKeysReadOnly)
	}
	if err := r.Source.Change(ctx, secrets.AddKeys); err != nil {
		return err
	}
	return r.Reload(ctx, true)
}

// Status is where a rotation stands. Nothing is changed.
func (r *Rotation) Status(ctx context.Context) (Progress, error) {
	v, err := r.look(ctx)
	if err != nil {
		return Progress{}, err
	}
	names := r.Keys.Names()
	p := Progress{Phase: PhaseOf(names)}
	switch p.Phase {
	case Added:
		if p.Waits = unaware(v, names.Next()); p.Waits == "" {
			p.Waits, p.By = "the new key is to be used", true
		}
	case Sealing:
		gone, err := r.unused(ctx, v, names)
		if err != nil {
			return p, err
		}
		if len(gone) == len(names.Old()) {
			p.Waits, p.By = "old sealing keys are to be removed", true
			break
		}
		p.Waits, err = r.left(ctx, v, names)
		return p, err
	case Sessions:
		if len(retiredSessions(v, names)) > 0 {
			p.Waits, p.By = "old session keys are to be removed", true
			break
		}
		for _, name := range names.OldSessions() {
			key, _ := v.state(models.KeySession, name)
			if p.Waits, err = r.dependents(ctx, key); err != nil || p.Waits != "" {
				return p, err
			}
		}
	}
	return p, nil
}

// Next is the change that the operator makes next where Latchkey cannot write. An error says what
// to wait for.
func (r *Rotation) Next(ctx context.Context, anew bool) (secrets.KeyChange, error) {
	p, err := r.Status(ctx)
	if err != nil {
		return nil, err
	}
	v, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	names := r.Keys.Names()
	switch {
	case p.Phase == Idle || p.Phase == Sessions && anew:
		return secrets.AddKeys, nil
	case !p.By:
		return nil, fmt.Errorf("it is not time for the next key set yet (%s): %s", p.Phase, p.Waits)
	case p.Phase == Added:
		return secrets.UseNewKeys, nil
	}
	return secrets.DropKeys(names.Old(), retiredSessions(v, names)), nil
}

func retiredSessions(v view, names secrets.KeyNames) []string {
	var retired []string
	for _, name := range names.OldSessions() {
		if key, _ := v.state(models.KeySession, name); !key.RetiredAt.IsZero() {
			retired = append(retired, name)
		}
	}
	return retired
}
