package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// staging is a folder for a file that is being made, beside the place that it is for and
// closed to others. It is locked while it is used: what a killed program left behind is
// removed by the next one that makes the same file.
type staging struct {
	path string
	lock *os.File
}

func newStaging(target string) (*staging, error) {
	parent, prefix := filepath.Dir(target), "."+filepath.Base(target)+".new-"
	// One at a time sweeps, makes and locks.
	if turn := lockFolder(parent, syscall.LOCK_EX); turn != nil {
		defer turn.Close()
		sweepStaging(parent, prefix)
	}
	path, err := os.MkdirTemp(parent, prefix+"*")
	if err != nil {
		return nil, noStaging(target, err)
	}
	return &staging{path: path, lock: lockFolder(path, syscall.LOCK_EX|syscall.LOCK_NB)}, nil
}

func noStaging(target string, err error) error {
	return fmt.Errorf("nothing can be written beside %s, check its folder: %w", target, err)
}

func sweepStaging(parent, prefix string) {
	entries, _ := os.ReadDir(parent) // making a folder there tells what is wrong
	for _, entry := range entries {
		path := filepath.Join(parent, entry.Name())
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		if lock := lockFolder(path, syscall.LOCK_EX|syscall.LOCK_NB); lock != nil {
			_ = errors.Join(os.RemoveAll(path), lock.Close()) // else the next one does it
		}
	}
}

// file is where the file is made.
func (s *staging) file() string { return filepath.Join(s.path, "latchkey.db") }

func (s *staging) remove() error {
	err := os.RemoveAll(s.path)
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// lockFolder returns nil where somebody else has the lock, or the file system has none.
func lockFolder(path string, how int) *os.File {
	folder, err := os.Open(path) //nolint:gosec // the operator's own setting
	if err != nil {
		return nil
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(folder.Fd()), how)
	}
	if err == nil {
		return folder
	}
	_ = folder.Close() // nothing was written
	return nil
}

// publish gives the file made the name target, durably. Unless it may replace what is there,
// it fails with fs.ErrExist where something is.
func publish(made, target string, replace bool) error {
	if replace {
		if err := os.Rename(made, target); err != nil {
			return err
		}
		return syncFolder(filepath.Dir(target))
	}
	err := os.Link(made, target)
	if err != nil && !errors.Is(err, os.ErrExist) {
		// Some file systems have no links.
		if _, there := os.Lstat(target); there == nil {
			return fmt.Errorf("%s: %w", target, os.ErrExist)
		}
		err = os.Rename(made, target)
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(target))
}

func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // the operator's own setting
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
