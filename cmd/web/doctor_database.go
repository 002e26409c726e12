package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

const (
	// longLog is a write-ahead log that is longer than a running server lets it grow.
	longLog = 256 << 20
	// clockSlack is by how much clocks may differ.
	clockSlack = time.Minute
	// readFor bounds the reading of the whole file.
	readFor = 10 * time.Second
)

func checkDatabase(ctx context.Context, d doctor, say func(verdict, string)) {
	if !d.config.inFile() {
		checkPostgres(ctx, d, say)
		return
	}
	path := d.config.Database
	if has, err := hasContent(path); err != nil {
		say(wrong, err.Error())
		return
	} else if !has {
		say(warning, "there is no database "+path+" yet: the first start makes it. If there should be one, correct LATCHKEY_DATABASE")
		return
	}
	limit, cancel := context.WithTimeout(ctx, readFor)
	defer cancel()
	found, err := store.Examine(limit, path)
	if err != nil {
		say(wrong, cannotUse(path, err).Error())
		return
	}
	d.judge(ctx, found, say)
	d.judgeClock(found.Newest, say)
}

func (d doctor) judge(ctx context.Context, found store.Examination, say func(verdict, string)) {
	path := d.config.Database
	switch {
	case found.Damage != "":
		say(wrong, path+" is damaged, restore your backup: "+found.Damage)
	case found.Sound:
		say(fine, path+" is sound: "+megabytes(found.Bytes))
	default:
		say(fine, fmt.Sprintf("%s was not read to its end within %s: %s. Where in doubt, check a backup of it", path, readFor, megabytes(found.Bytes)))
	}
	d.judgeVersion(found.Version, say)
	if found.LogBytes > longLog {
		say(warning, "the write-ahead log has "+megabytes(found.LogBytes)+": look for a program that reads the database for long, such as a backup; a restart shortens it")
	}
	d.judgeKeys(ctx, found.KeyCheck, say)
}

func (d doctor) judgeVersion(version int64, say func(verdict, string)) {
	latest, err := migrations.Latest()
	switch {
	case err != nil:
		say(wrong, err.Error())
	case version > latest:
		say(wrong, migrations.NewerError{Database: version, Program: latest}.Error())
	case version == 0:
		say(warning, "it has no tables yet: the first start makes them. If there should be some, correct LATCHKEY_DATABASE")
	case version < latest:
		say(warning, fmt.Sprintf("it is at version %d and the next start brings it to %d: make a backup before", version, latest))
	default:
		say(fine, fmt.Sprintf("it is at version %d, as this program", version))
	}
}

// judgeClock finds a clock that was set back by what was written before.
func (d doctor) judgeClock(newest models.Time, say func(verdict, string)) {
	last := newest.Std()
	for _, part := range []string{d.config.Database, d.config.Database + "-wal"} {
		info, err := os.Stat(part)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	if last.After(d.now.Add(clockSlack)) {
		say(wrong, fmt.Sprintf("it was written to at %s and this machine's clock says %s: set the clock, or tokens end at the wrong time",
			last.UTC().Format(time.RFC3339), d.now.UTC().Format(time.RFC3339)))
	}
}
