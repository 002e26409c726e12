package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

// standardStream in place of a file is standard output or input.
const standardStream = "-"

func (p *program) backupCommand() *cli.Command {
	return &cli.Command{
		Name: "backup", Usage: "copy the database to FILE, also while the server runs; FILE may be - for standard output", ArgsUsage: "FILE", Action: p.backup,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "force", Usage: "overwrite FILE"},
			&cli.StringFlag{Name: "with-keys", Usage: "also copy the key file, to a file of its own: whoever has both reads what is encrypted"},
		},
	}
}

func (p *program) backup(ctx context.Context, cmd *cli.Command) (err error) {
	target, err := oneFile(cmd)
	if err != nil {
		return err
	}
	if onPostgres(cmd) {
		return errors.New(`the database is a PostgreSQL one, which has its own program for that: pg_dump --format=custom --file=FILE "$LATCHKEY_DATABASE" (see docs/backup.md)`)
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	if err := databaseThere(ctx, config); err != nil {
		return err
	}
	if err := mayBeWritten(target, cmd.Bool("force"), config); err != nil {
		return err
	}
	// What is made for standard output is as private as the database.
	place := target
	if target == standardStream {
		place = config.Database
	}
	made, err := newStaging(place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, made.remove()) }()
	return p.backUp(ctx, config, made, target, cmd.String("with-keys"), cmd.Bool("force"))
}

// backUp makes the backup in made and puts it where it belongs.
func (p *program) backUp(ctx context.Context, config Config, made *staging, target, keysTo string, force bool) error {
	at, contents, err := copyDatabase(ctx, config, made.file())
	if err != nil {
		return err
	}
	if keysTo != "" {
		if err := copyKeys(ctx, config, contents, keysTo); err != nil {
			return err
		}
	}
	line, err := describe(made.file(), target, keysTo, at, contents)
	if err != nil {
		return err
	}
	if target == standardStream {
		return p.stream(made.file(), line)
	}
	if err := publish(made.file(), target, force); err != nil {
		return noBackupAt(target, err)
	}
	return p.print(line)
}

// describe says what the backup that was made holds.
func describe(made, target, keysTo string, at models.Time, contents store.Contents) (string, error) {
	info, err := os.Stat(made)
	if err != nil {
		return "", err
	}
	if target == standardStream {
		target = "standard output"
	}
	keys := "The key file is not in it."
	if keysTo != "" {
		keys = "The key file was copied to " + keysTo + "."
	}
	return fmt.Sprintf("Backed up %s, %s and %s, as of %s, to %s. %s", megabytes(info.Size()), models.Count(contents.Tokens, "token"),
		models.Count(contents.Applications, "application"), moment(at), target, keys), nil
}

// stream sends the file and says on standard error what it holds.
func (p *program) stream(path, line string) error {
	file, err := os.Open(path) //nolint:gosec // made by this program
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(p.stdout, file); err != nil {
		return fmt.Errorf("the backup could not be written to standard output, start again: %w", err)
	}
	_, err = fmt.Fprintln(p.stderr, line)
	return err
}

// copyDatabase makes a checked copy. It does not bring the database up to date: backups
// are made before that.
func copyDatabase(ctx context.Context, config Config, path string) (models.Time, store.Contents, error) {
	db, err := store.Open(config.Database, clockMillis) //nolint:contextcheck // the store closes itself
	if err != nil {
		return 0, store.Contents{}, cannotUse(config.Database, err)
	}
	at, err := db.Backup(ctx, path)
	if err := errors.Join(err, db.Close()); err != nil {
		return 0, store.Contents{}, noBackup(ctx, err)
	}
	contents, err := store.CheckFile(ctx, path)
	if err != nil {
		return 0, contents, noBackup(ctx, err)
	}
	return at, contents, nil
}

func noBackup(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("the backup was interrupted, and nothing of it is left")
	}
	return fmt.Errorf("no backup was made, check the room on its disk, and the database: %w", err)
}

// copyKeys copies no key file that would be of no use with the backup.
func copyKeys(ctx context.Context, config Config, contents store.Contents, to string) error {
	if !config.keysInFile() {
		return errors.New("the keys come from the " + config.keySource().Name + ": keep a copy where that has them, and leave --with-keys out")
	}
	keys, err := config.keySource().Keys(ctx)
	if err != nil {
		return err
	}
	if _, err := keys.Open(contents.KeyCheck, keyCheckPlace); err != nil {
		return fmt.Errorf("the key file %s does not belong to the database %s: correct LATCHKEY_KEYS", config.Keys, config.Database)
	}
	return secrets.CopyKeys(config.Keys, to)
}

// oneFile is the one word after the name of the command.
func oneFile(cmd *cli.Command) (string, error) {
	if cmd.Args().Len() != 1 || cmd.Args().First() == "" {
		return "", usagef("write one file, such as: %s %s latchkey-backup.db", cmd.Root().Name, cmd.Name)
	}
	return cmd.Args().First(), nil
}

func onPostgres(cmd *cli.Command) bool {
	return store.IsPostgres(cmd.String("database"))
}

// mayBeWritten keeps a backup from replacing what the server needs, and whatever else
// without being told so.
func mayBeWritten(target string, force bool, config Config) error {
	if target == standardStream {
		return nil
	}
	for _, ours := range []string{config.Database, config.Database + "-wal", config.Database + "-shm", config.Database + "-journal", config.Keys} {
		if samePlace(target, ours) {
			return fmt.Errorf("%s is what the server works with: write the backup to another file", target)
		}
	}
	info, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return noBackupAt(target, err)
	case info.IsDir():
		return fmt.Errorf("%s is a folder: name a file in it", target)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file: name one, or write - for standard output", target)
	case !force:
		return noBackupAt(target, fs.ErrExist)
	}
	return nil
}

func samePlace(a, b string) bool {
	one, err := os.Stat(a)
	other, failed := os.Stat(b)
	if err == nil && failed == nil {
		return os.SameFile(one, other)
	}
	a, err = filepath.Abs(a)
	b, failed = filepath.Abs(b)
	return err == nil && failed == nil && a == b
}

func noBackupAt(target string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is left as it is: choose another name, or write --force", target)
	}
	return fmt.Errorf("%s cannot be written, check its folder and its disk: %w", target, err)
}
