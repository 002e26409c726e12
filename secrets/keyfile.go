package secrets

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// MaxKeySet is how long the content of a key file may be.
const MaxKeySet = 1 << 20

// CreateKeys makes new keys and stores them in a new file at path, mode 0600,
// along with its directory (0700) where that is missing. The file appears whole
// or not at all, and is on disk when the error is nil. Of concurrent callers one wins; the others, like
// all who find a file there, get an error that wraps fs.ErrExist.
func CreateKeys(path string) (*Keys, error) {
	content, err := NewKeySet()
	if err != nil {
		return nil, fmt.Errorf("key file %s: new keys cannot be made: %w", path, err)
	}
	keys, err := parseKeyFile(content)
	if err != nil {
		return nil, fmt.Errorf("key file %s: new keys do not read back: %w", path, err)
	}
	if err := writeNew(path, content); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("key file %s exists already and is not overwritten: %w", path, fs.ErrExist)
		}
		return nil, fmt.Errorf("key file %s cannot be made, check its directory: %w", path, err)
	}
	return keys, nil
}

// writeNew fills a file under another name and links it to path when it is on
// disk. Unlike a rename, a link fails where something is there.
func writeNew(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// CreateTemp opens with O_EXCL and 0600.
	file, err := os.CreateTemp(dir, ".keys-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	handle, err := os.Open(dir) //nolint:gosec // the operator's own setting
	if err != nil {
		return err
	}
	return errors.Join(handle.Sync(), handle.Close())
}

// LoadKeys reads the key file at path. Each error names the file and says what to
// do; one for a missing file wraps fs.ErrNotExist. No error holds key material.
func LoadKeys(path string) (*Keys, error) {
	content, err := ReadKeyFile(path)
	if err != nil {
		return nil, err
	}
	return ParseKeys("key file "+path, content)
}

// ReadKeyFile returns the content of the key file at path, with the errors of LoadKeys.
func ReadKeyFile(path string) ([]byte, error) {
	content, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key file %s is missing, copy it from another node, restore it from your backup or correct LATCHKEY_KEYS: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s %w", path, err)
	}
	return content, nil
}

// ParseKeys reads what stands in a key file. An error says what came from where, and
// holds no key material.
func ParseKeys(where string, content []byte) (*Keys, error) {
	keys, err := parseKeyFile(content)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be used (%w), restore it from your backup", where, err)
	}
	return keys, nil
}

// CopyKeys copies the key file at path to a new file, with the same care as CreateKeys. A file
// that holds the same already is left as it is; any other is not overwritten.
func CopyKeys(path, to string) error {
	if _, err := LoadKeys(path); err != nil {
		return err
	}
	content, err := readPrivate(path)
	if err != nil {
		return fmt.Errorf("key file %s %w", path, err)
	}
	err = writeNew(to, content)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the key file cannot be copied to %s, check its folder: %w", to, err)
	}
	if there, err := readPrivate(to); err == nil && Equal(there, content) {
		return nil
	}
	return fmt.Errorf("%s is there already, does not hold these keys and is left as it is: choose another name: %w", to, fs.ErrExist)
}

// readPrivate asks the open file, not the path, for its mode: the path could be
// changed in between.
func readPrivate(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // the operator's own setting
	if err != nil {
		return nil, fmt.Errorf("cannot be read, check its owner and mode: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot be read, check its owner and mode: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file, correct LATCHKEY_KEYS")
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && !handedOver(info) {
		return nil, fmt.Errorf("can be used by others (mode %04o), run: chmod 600 %s", mode, path)
	}
	content, err := io.ReadAll(io.LimitReader(file, MaxKeySet+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read, check its disk: %w", err)
	}
	if len(content) > MaxKeySet {
		return nil, errors.New("is larger than 1 MiB and so no key file, correct LATCHKEY_KEYS")
	}
	return content, nil
}
