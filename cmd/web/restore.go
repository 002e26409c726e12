package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

func (p *program) restoreCommand() *cli.Command {
	return &cli.Command{
		Name: "restore", Usage: "put the backup FILE into the place of the database; FILE may be - for standard input", ArgsUsage: "FILE", Action: p.restore,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "force", Usage: "replace a database that is there; it is kept under another name"},
			&cli.BoolFlag{Name: "revoke-tokens", Usage: "revoke every token: those that were revoked after the backup would be good again"},
			&cli.BoolFlag{Name: "finish", Usage: "without FILE, after the database was restored by another program: end what must not be good once more"},
			&cli.BoolFlag{Name: "with-broken-audit", Usage: "restore although entries of the audit log were changed, removed or inserted"},
		},
	}
}

func (p *program) restore(ctx context.Context, cmd *cli.Command) (err error) {
	if cmd.Bool("finish") {
		return p.finishRestore(ctx, cmd)
	}
	source, err := oneFile(cmd)
	if err != nil {
		return err
	}
	if onPostgres(cmd) {
		return errors.New(`the database is a PostgreSQL one, which has its own program for that: pg_restore --clean --if-exists --single-transaction --no-owner --dbname="$LATCHKEY_DATABASE" FILE, then restore --finish (see docs/backup.md)`)
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	r := restoring{program: p, config: config, source: source, force: cmd.Bool("force"), revokeTokens: cmd.Bool("revoke-tokens"), brokenAudit: cmd.Bool("with-broken-audit")}
	if err := r.mayBegin(); err != nil {
		return err
	}
	if r.made, err = newStaging(r.config.Database); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.made.remove()) }()
	if err := r.fetch(ctx); err != nil {
		return err
	}
	db, contents, err := r.inspect(ctx)
	if err != nil {
		return r.refuse(ctx, err)
	}
	return r.finish(ctx, db, contents)
}

// restoring is one restore. Until finish, it changes nothing outside of made.
type restoring struct {
	*program

	config                           Config
	source                           string
	force, revokeTokens, brokenAudit bool
	made                             *staging
	// keys are those that the restored database needs.
	keys *secrets.Keys
}

// mayBegin finds out early what would stop the restore at its end.
func (r *restoring) mayBegin() error {
	if err := os.MkdirAll(filepath.Dir(r.config.Database), 0o700); err != nil {
		return fmt.Errorf("the folder of the database cannot be made, correct LATCHKEY_DATABASE: %w", err)
	}
	if target, err := filepath.EvalSymlinks(r.config.Database); err == nil {
		r.config.Database = target
	}
	exists, err := hasContent(r.config.Database)
	if err != nil {
		return err
	}
	used, err := store.InUse(r.config.Database)
	if err != nil {
		return cannotUse(r.config.Database, err)
	}
	if used {
		return r.inUse()
	}
	if exists && !r.force {
		return fmt.Errorf("there is a database %s already and it is left as it is: set LATCHKEY_DATABASE to another place, or write --force to replace it (it is kept under another name)", r.config.Database)
	}
	return nil
}

func (r *restoring) inUse() error {
	return fmt.Errorf("the database %s is in use: stop the server, and whatever else has it open, and run this again", r.config.Database)
}

// refuse says that everything is as it was.
func (r *restoring) refuse(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("the restore was interrupted, and nothing was changed")
	}
	return fmt.Errorf("nothing was restored: %w", err)
}

// finish takes hold of the place, ends what must not be good once more, and puts the copy there.
func (r *restoring) finish(ctx context.Context, db *store.Store, contents store.Contents) error {
	place, err := store.Take(ctx, r.config.Database)
	if errors.Is(err, store.ErrInUse) {
		return errors.Join(r.inUse(), db.Close())
	}
	if err != nil {
		return errors.Join(r.refuse(ctx, err), db.Close())
	}
	known, unknown := place.RevokedBefore(ctx, db)
	done, err := db.FinishRestore(ctx, models.CommandLine, known, r.revokeTokens)
	err = errors.Join(err, db.Close())
	if err == nil {
		err = r.ready()
	}
	if err != nil {
		return errors.Join(r.refuse(ctx, err), place.Close())
	}
	keep := r.config.Database + ".before-" + clock().UTC().Format("20060102T150405.000Z")
	if err := place.Replace(r.made.file(), keep); err != nil {
		return errors.Join(fmt.Errorf("the restore failed, the database of before is at %s or at %s: %w", r.config.Database, keep, err), place.Close())
	}
	return errors.Join(r.report(contents, done, keep, unknown), place.Close())
}

// ready makes the copy durable, with all that was written to it, and readable to whom the database belongs.
func (r *restoring) ready() error {
	if info, err := os.Stat(r.made.file() + "-wal"); err == nil && info.Size() > 0 {
		return errors.New("the copy was not closed")
	}
	if err := r.giveToOwner(); err != nil {
		return err
	}
	file, err := os.Open(r.made.file())
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// giveToOwner leaves what root restores to the user that the server runs as: whose the old database was, or the folder is.
func (r *restoring) giveToOwner() error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(r.config.Database)
	if err != nil {
		info, err = os.Stat(filepath.Dir(r.config.Database))
	}
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		return os.Chown(r.made.file(), int(owner.Uid), int(owner.Gid))
	}
	return nil
}

func (r *restoring) report(contents store.Contents, done store.Restored, keep string, unknown error) error {
	asOf := ""
	since := "after the backup was made"
	if !contents.Newest.IsZero() {
		asOf, since = ", as they were at "+moment(contents.Newest), "after "+moment(contents.Newest)
	}
	err := r.print(fmt.Sprintf("Restored %s and %s to %s%s.", models.Count(contents.Tokens, "token"),
		models.Count(contents.Applications, "application"), r.config.Database, asOf))
	if _, failed := os.Stat(keep); failed == nil {
		err = errors.Join(err, r.print("The database of before is kept as "+keep+"."))
	}
	return errors.Join(err, r.print(endedLine(done)), r.warn(since, r.revokeTokens, unknown))
}

func endedLine(done store.Restored) string {
	return fmt.Sprintf("Ended: %s and %s. Revoked: %s.", models.Count(done.Sessions, "session"), models.Count(done.Links, "link"), models.Count(done.Tokens, "token"))
}

// warn tells what a restore brings back.
func (p *program) warn(since string, revoked bool, unknown error) error {
	text := "Warning: what was done " + since + " is undone. Client secrets that were replaced, passwords and second factors that were changed, and members who were removed are good again"
	switch {
	case revoked:
		text += "."
	case unknown == nil:
		text += ". Tokens that the database of before still knows to be revoked stay so."
	default:
		text += ", and so are tokens that were revoked: revoke them on their pages, or all by restore --finish --revoke-tokens."
	}
	_, err := fmt.Fprintln(p.stderr, text+" What to look at: docs/backup.md")
	return err
}

// finishRestore is for a database that pg_restore, Litestream or a copy of files brought back.
func (p *program) finishRestore(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Present() || cmd.Bool("force") || cmd.Bool("with-broken-audit") {
		return usagef("--finish: write it alone or with --revoke-tokens; restoring a file does the same by itself")
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	return p.withStore(ctx, config, func(db *store.Store) error {
		done, err := db.FinishRestore(ctx, models.CommandLine, store.RevokedBefore{}, cmd.Bool("revoke-tokens"))
		if err != nil {
			return err
		}
		return errors.Join(p.print(endedLine(done)), p.warn("after the backup was made", cmd.Bool("revoke-tokens"), store.ErrNothingKnown),
			finishedSealed(ctx, config, db))
	})
}

// finishedSealed tells of values of before a rotation beside keys of after it. They are there
// already, so it comes last.
func finishedSealed(ctx context.Context, config Config, db *store.Store) error {
	source := config.keySource()
	keys, err := source.Keys(ctx)
	if err != nil {
		return err
	}
	return sealedByOthers(ctx, db, keys, "the database", source.Name)
}
