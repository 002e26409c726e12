package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ErrKeysReadOnly means that the keys lie where Latchkey cannot write, as a mounted secret does.
var ErrKeysReadOnly = errors.New("cannot be written by Latchkey")

const (
	// lockTries and lockPause bound how long a change waits for another's, which takes milliseconds.
	lockTries = 250
	lockPause = 20 * time.Millisecond
)

// ChangeKeyFile makes one change of the key file at path. It appears whole or not at all, with
// the owner and mode of the file before, and is on disk when the error is nil. Of processes
// that change it at once, each sees what the one before did.
func ChangeKeyFile(ctx context.Context, path string, change KeyChange) error {
	if err := changeKeyFile(ctx, path, change); err != nil {
		if isReadOnly(err) {
			return fmt.Errorf("key file %s %w: %w", path, ErrKeysReadOnly, err)
		}
		return fmt.Errorf("key file %s was not changed: %w", path, err)
	}
	return nil
}

func isReadOnly(err error) bool {
	for _, reason := range []error{syscall.EROFS, syscall.EACCES, syscall.EPERM, syscall.EBUSY} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

func changeKeyFile(ctx context.Context, path string, change KeyChange) error {
	// A link stays one: what it leads to is changed.
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	lock, err := lockKeyFile(ctx, target)
	if err != nil {
		return err
	}
	defer lock.Close()
	content, err := readPrivate(target)
	if err != nil {
		return err
	}
	changed, err := ChangeKeys(content, change)
	if err != nil || bytes.Equal(changed, content) {
		return err
	}
	return replaceKeyFile(target, lock, changed)
}

// lockKeyFile locks the file that is at path when the lock is held: the one before may have
// been replaced meanwhile.
func lockKeyFile(ctx context.Context, path string) (*os.File, error) {
	for range lockTries {
		file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator's own setting
		if errors.Is(err, fs.ErrPermission) {
			file, err = os.Open(path) //nolint:gosec // mode 0400, in a folder that may be writable
		}
		if err != nil {
			return nil, err
		}
		held, err := tryLock(file, path)
		if held || err != nil {
			return file, err
		}
		_ = file.Close()
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, errors.New("another process holds it")
}

func tryLock(file *os.File, path string) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	if err != nil {
		return false, errors.Join(err, file.Close())
	}
	locked, err := file.Stat()
	if err != nil {
		return false, errors.Join(err, file.Close())
	}
	current, err := os.Stat(path)
	return err == nil && os.SameFile(locked, current), nil
}

// replaceKeyFile needs the lock: what lies under the name of the new file is of a process that
// was killed, and may hold keys.
func replaceKeyFile(path string, before *os.File, content []byte) error {
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside the key file
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, likeBefore(file, before), file.Sync(), file.Close()); err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		// After the rename the name is another's: whoever locks the new file.
		return errors.Join(err, os.Remove(next))
	}
	return syncDir(filepath.Dir(path))
}

// likeBefore gives the file the owner and mode of the one before: an operator may well rotate
// as root what a server reads as somebody else.
func likeBefore(file, before *os.File) error {
	info, err := before.Stat()
	if err != nil {
		return err
	}
	made, err := file.Stat()
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	ours, also := made.Sys().(*syscall.Stat_t)
	if ok && also && (owner.Uid != ours.Uid || owner.Gid != ours.Gid) {
		if err := file.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	return file.Chmod(info.Mode().Perm())
}

// KeyFileStamp changes when the file at path is replaced or written.
func KeyFileStamp(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "none"
	}
	inode := uint64(0)
	if system, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = system.Ino
	}
	return fmt.Sprint(inode, info.Size(), info.ModTime().UnixNano(), info.Mode())
}
