package rotation

import (
	"context"
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
