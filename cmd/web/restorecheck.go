package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

// fetch copies the backup, so that what is checked is what will be served, and the backup stays as it is.
func (r *restoring) fetch(ctx context.Context) error {
	from := r.stdin
	if r.source != standardStream {
		if info, err := os.Stat(r.source + "-wal"); err == nil && info.Size() > 0 {
			return fmt.Errorf("%s is not whole: what was written last is in %[1]s-wal. Make a backup of it with LATCHKEY_DATABASE=%[1]s and the command backup, and restore that", r.source)
		}
		file, err := os.Open(r.source)
		if err != nil {
			return fmt.Errorf("the backup %s cannot be read: %w", r.source, err)
		}
		defer file.Close()
		from = file
	}
	to, err := os.OpenFile(r.made.file(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return noStaging(r.config.Database, err)
	}
	_, err = io.Copy(to, whileRunning{ctx, from})
	if err := errors.Join(err, to.Close()); err != nil {
		return r.refuse(ctx, fmt.Errorf("copying the backup %s: %w", r.source, err))
	}
	return nil
}

// whileRunning reads until the program is told to stop.
type whileRunning struct {
	ctx  context.Context //nolint:containedctx // of one copy
	from io.Reader
}

func (w whileRunning) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.from.Read(p)
}

// inspect checks the copy, brings it up to date and opens it.
func (r *restoring) inspect(ctx context.Context) (*store.Store, store.Contents, error) {
	contents, err := store.CheckFile(ctx, r.made.file())
	if err != nil {
		return nil, contents, fmt.Errorf("%s is no sound backup: %w", r.source, err)
	}
	if err := r.checkKeys(ctx, contents); err != nil {
		return nil, contents, err
	}
	db, err := store.Open(r.made.file(), clockMillis) //nolint:contextcheck // the store closes itself
	if err != nil {
		return nil, contents, err
	}
	if err := r.update(ctx, db); err != nil {
		return nil, contents, errors.Join(err, db.Close())
	}
	return db, contents, nil
}

func (r *restoring) checkKeys(ctx context.Context, contents store.Contents) error {
	keys, err := openKeys(ctx, r.config, true)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is of no use without its key file: put that to %s (mode 0600), or set LATCHKEY_KEYS", r.source, r.config.Keys)
	}
	if err != nil {
		return err
	}
	if _, err := keys.Open(contents.KeyCheck, keyCheckPlace); err != nil {
		return fmt.Errorf("the %s does not belong to the backup %s: put the one there that the server used at that time, or set LATCHKEY_KEYS", r.config.keySource().Name, r.source)
	}
	r.keys = keys
	return nil
}

// checkSealed refuses a backup from the middle of a rotation beside keys from after it: what
// was not sealed anew by then would open no more.
func (r *restoring) checkSealed(ctx context.Context, db *store.Store) error {
	return sealedByOthers(ctx, db, r.keys, r.source, r.config.keySource().Name)
}

func sealedByOthers(ctx context.Context, db *store.Store, keys *secrets.Keys, what, source string) error {
	others, err := db.SealedByOthers(ctx, keys.Prefixes())
	if err != nil || others == 0 {
		return err
	}
	are := " are"
	if others == 1 {
		are = " is"
	}
	return fmt.Errorf("of %s %s%s sealed with a key that the %s does not hold: put the one there that the server used at that time, or set LATCHKEY_KEYS", what, models.Count(others, "value"), are, source)
}

func (r *restoring) update(ctx context.Context, db *store.Store) error {
	if _, err := db.Migrate(ctx, migrations.Run); err != nil {
		return fmt.Errorf("%s cannot be brought up to date: %w", r.source, err)
	}
	if err := r.checkSealed(ctx, db); err != nil {
		return err
	}
	chains, err := db.AuditChains(ctx)
	if err != nil {
		return err
	}
	for _, chain := range chains {
		verdict, err := db.VerifyAudit(ctx, chain.TeamID, models.AuditHead{})
		if err != nil {
			return err
		}
		if verdict.Break != nil && !r.brokenAudit {
			return fmt.Errorf("the audit log of %s in %s is not as it was written: %s. Take an earlier backup, or write --with-broken-audit", titleOf(chain), r.source, brokenText(*verdict.Break))
		}
	}
	return nil
}
