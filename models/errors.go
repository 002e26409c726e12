package models

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// The words that store, tokens and secrets answer with. Pages and OAuth
// endpoints turn them into statuses in one table each; any other error is
// internal and shown to nobody.
var (
	// ErrNotFound also stands for what belongs to another team.
	ErrNotFound = errors.New("not found")
	// ErrForbidden means that the role does not allow the deed.
	ErrForbidden = errors.New("forbidden")
	// ErrConflict means that the object changed since the caller read it.
	ErrConflict = errors.New("changed in the meantime")
	// ErrUnavailable means that the database cannot answer or cannot store.
	ErrUnavailable = errors.New("database unavailable")
	// ErrBusy means that too much work waits already.
	ErrBusy = errors.New("busy")
)

// FieldErrors maps the name of a form field to the sentence shown beside it.
// Rules return it as an error; empty means valid.
type FieldErrors map[string]string

func (e FieldErrors) Error() string {
	parts := make([]string, 0, len(e))
	for _, field := range slices.Sorted(maps.Keys(e)) {
		parts = append(parts, field+": "+e[field])
	}
	return strings.Join(parts, "; ")
}

// OrNil returns e as an error, nil where no field is wrong.
func (e FieldErrors) OrNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
