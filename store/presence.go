package store

import (
	"fmt"
	"os"
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// presence tells whether the file that was opened is still the one at its path. One
// that was moved away or replaced would go on taking changes, which nobody would
// find again.
type presence struct {
	path   string
	opened os.FileInfo
	gone   atomic.Bool
}

// newPresence takes what was found at the path before it was opened: in between, somebody may
// have put another database there.
func newPresence(path string, found os.FileInfo, handles []*gorm.DB) (*presence, error) {
	p := &presence{path: path, opened: found}
	if err := p.check(); err != nil {
		return nil, err
	}
	for _, handle := range handles {
		if err := p.guard(handle); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// check looks at the path.
func (p *presence) check() error {
	info, err := os.Stat(p.path)
	p.gone.Store(err != nil || !os.SameFile(info, p.opened))
	return p.err()
}

// err is what every read and every change answers from the last check on.
func (p *presence) err() error {
	if p.gone.Load() {
		return fmt.Errorf("%w: its file was removed or replaced: put it back, or restart", models.ErrUnavailable)
	}
	return nil
}

// guard has every statement of handle refused while the file is gone.
func (p *presence) guard(handle *gorm.DB) error {
	const name = "latchkey:presence"
	refuse := func(tx *gorm.DB) {
		if err := p.err(); err != nil {
			_ = tx.AddError(err) // which it returns
		}
	}
	on := handle.Callback()
	for _, register := range []func(string, func(*gorm.DB)) error{
		on.Query().Before("*").Register, on.Row().Before("*").Register, on.Raw().Before("*").Register,
		on.Create().Before("*").Register, on.Update().Before("*").Register, on.Delete().Before("*").Register,
	} {
		if err := register(name, refuse); err != nil {
			return err
		}
	}
	return nil
}
