package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/latchkey/latchkey/store"
)

func checkKeys(ctx context.Context, d doctor, say func(verdict, string)) {
	source := d.config.keySource()
	_, err := source.Keys(ctx)
	switch {
	case err == nil && !d.config.keysInFile():
		say(fine, "the "+source.Name+" holds keys")
	case errors.Is(err, fs.ErrNotExist) && d.config.keysInFile() && d.isNew(ctx):
		says := "there is no " + d.config.Keys + " yet: the first start makes it. If there should be one, correct LATCHKEY_KEYS"
		if !d.config.inFile() {
			says += "; other nodes get a copy of it"
		}
		say(warning, says)
	case err != nil:
		say(wrong, err.Error())
	default:
		say(fine, d.config.Keys+" can be read, and by its user alone")
	}
}

// isNew is false where the database cannot say: the check of the database tells that.
func (d doctor) isNew(ctx context.Context) bool {
	if d.config.inFile() {
		return !exists(d.config.Database)
	}
	made, err := store.HasTables(ctx, d.config.address.Reveal())
	return err == nil && !made
}

// judgeKeys holds the keys against the database, which keeps check. That they cannot be read
// is what checkKeys says.
func (d doctor) judgeKeys(ctx context.Context, check []byte, say func(verdict, string)) {
	keys, err := d.config.keySource().Keys(ctx)
	if err != nil || len(check) == 0 {
		return
	}
	if err := opens(keys, check, d.config); err != nil {
		say(wrong, err.Error())
		return
	}
	say(fine, "the keys belong to it")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// checkFolder looks at who may do what with the database and what lies beside it.
func checkFolder(_ context.Context, d doctor, say func(verdict, string)) {
	if !d.config.inFile() {
		return
	}
	path := d.config.Database
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		say(warning, "there is no folder "+dir+" yet: the first start makes it. If there should be one, correct LATCHKEY_DATABASE")
		return
	case err != nil:
		say(wrong, fmt.Sprintf("%s cannot be reached, check its owner and mode: %v", dir, err))
		return
	case info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0:
		say(wrong, fmt.Sprintf("others may replace the files in %s (mode %04o): run chmod 700 %s", dir, info.Mode().Perm(), dir))
	case info.Mode().Perm()&0o077 != 0:
		say(warning, fmt.Sprintf("others may see what lies in %s (mode %04o): run chmod 700 %s", dir, info.Mode().Perm(), dir))
	default:
		say(fine, dir+" belongs to its user alone")
	}
	if problem := cannotWrite(dir); problem != "" {
		say(wrong, problem)
	}
	checkParts(path, say)
}

// checkParts wants one owner for the parts of the database, and nobody else to read them.
func checkParts(path string, say func(verdict, string)) {
	owner := -1
	for _, part := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(part)
		if err != nil {
			continue
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 && info.Mode().IsRegular() {
			say(wrong, fmt.Sprintf("others can use %s (mode %04o): run chmod 600 %s", part, mode, part))
		}
		if problem := cannotWrite(part); problem != "" {
			say(wrong, problem)
		}
		switch id := ownerOf(info); {
		case owner < 0:
			owner = id
		case id != owner:
			say(wrong, fmt.Sprintf("%s belongs to user %d and %s to user %d: stop Latchkey and run chown --reference=%s %s", part, id, path, owner, path, part))
		}
	}
}
