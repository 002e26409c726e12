package handlers

import (
	"sync"
	"time"
)

// zones keeps the time zones that were loaded. Accounts hold names from a fixed list, so
// there are no more of them than that. It is safe for concurrent use.
type zones struct{ loaded sync.Map }

// of is nil for UTC, and for a zone that this host does not know.
func (z *zones) of(name string) *time.Location {
	if name == "" {
		return nil
	}
	if known, ok := z.loaded.Load(name); ok {
		zone, _ := known.(*time.Location)
		return zone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	z.loaded.Store(name, zone)
	return zone
}
