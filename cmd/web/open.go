package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
)

// keyCheck is what the value in the database says that shows whether the key
// file fits.
const keyCheck = "latchkey"

var keyCheckPlace = secrets.Place{Table: "key_checks", Column: "sealed", Row: store.KeyCheckID}

// open reads the key file and opens and migrates the database. Both are made
// where neither exists. Beside a database that exists, a key file that is
// missing, damaged or of another database stops it before anything is touched.
func open(ctx context.Context, config Config) (*store.Store, *secrets.Keys, error) {
	if !config.inFile() {
		return openServer(ctx, config)
	}
	exists, err := hasContent(config.Database)
	if err != nil {
		return nil, nil, err
	}
	keys, err := openKeys(ctx, config, exists)
	if err != nil {
		return nil, nil, err
	}
	if exists {
		// SQLite finds out later, and leaves files behind.
		if err := writable(config.Database); err != nil {
			return nil, nil, cannotUse(config.Database, err)
		}
	}
	db, err := openStore(config) //nolint:contextcheck // the store lives longer than this call
	if err != nil {
		return nil, nil, cannotUse(config.Database, err)
	}
	if err := prepare(ctx, db, keys, config); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, keys, nil
}

// openServer is open for PostgreSQL, which alone knows whether there is a database yet.
func openServer(ctx context.Context, config Config) (*store.Store, *secrets.Keys, error) {
	db, err := openStore(config) //nolint:contextcheck // the store lives longer than this call
	if err != nil {
		return nil, nil, cannotUse(config.Database, err)
	}
	sealed, err := db.KeyCheck(ctx)
	if err != nil {
		return nil, nil, errors.Join(cannotUse(config.Database, err), db.Close())
	}
	keys, err := openKeys(ctx, config, len(sealed) > 0)
	if err == nil {
		err = prepare(ctx, db, keys, config)
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, keys, nil
}

// writable tells whether the file and its folder, where the journal lies, take writes.
func writable(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator's own setting
	if err != nil {
		return err
	}
	probe, err := os.CreateTemp(filepath.Dir(path), ".writable-*")
	if err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(file.Close(), probe.Close(), os.Remove(probe.Name()))
}

// hasDatabase tells whether a start would find a database of Latchkey.
func hasDatabase(ctx context.Context, config Config) (bool, error) {
	if config.inFile() {
		return hasContent(config.Database)
	}
	made, err := store.HasTables(ctx, config.address.Reveal())
	return made, cannotUse(config.Database, err)
}

func hasContent(path string) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("the database %s cannot be reached, check owner and mode of its folder, or run this as the user that serves: %w", path, err)
	case info.IsDir():
		return false, fmt.Errorf("the database %s is a folder: set LATCHKEY_DATABASE to a file in it", path)
	}
	return info.Size() > 0, nil
}

// databaseThere fails where there is no database: at a path that was mistyped, a new one would
// answer with nothing.
func databaseThere(ctx context.Context, config Config) error {
	exists, err := hasDatabase(ctx, config)
	if err != nil || exists {
		return err
	}
	if !config.inFile() {
		return fmt.Errorf("the database %s holds nothing yet: set LATCHKEY_DATABASE, or start the server, which makes its tables", config.Database)
	}
	return fmt.Errorf("there is no database %s: set LATCHKEY_DATABASE, or run this in the folder where the server runs", config.Database)
}

func openKeys(ctx context.Context, config Config, databaseExists bool) (*secrets.Keys, error) {
	keys, err := config.keySource().Keys(ctx)
	if errors.Is(err, fs.ErrNotExist) && !databaseExists && config.keysInFile() {
		keys, err = secrets.CreateKeys(config.Keys)
		if errors.Is(err, fs.ErrExist) { // by another node, a moment ago
			return config.keySource().Keys(ctx)
		}
		return keys, err
	}
	if err != nil && databaseExists {
		return nil, fmt.Errorf("the database %s is left as it is: %w", config.Database, err)
	}
	return keys, err
}

// prepare checks, in this order, that the keys fit, that this program is new
// enough, and that the database takes writes.
func prepare(ctx context.Context, db *store.Store, keys *secrets.Keys, config Config) error {
	known, err := keysFit(ctx, db, keys, config)
	if err != nil {
		return err
	}
	var newer migrations.NewerError
	if _, err := db.Migrate(ctx, migrations.Run); errors.As(err, &newer) {
		return fmt.Errorf("the database %s is left as it is: %w", config.Database, err)
	} else if err != nil {
		return cannotUse(config.Database, err)
	}
	if known {
		return cannotUse(config.Database, db.CheckWritable(ctx))
	}
	sealed, err := keys.Seal(models.NewSecret(keyCheck), keyCheckPlace)
	if err != nil {
		return err
	}
	if err := db.SaveKeyCheck(ctx, sealed); err != nil {
		return cannotUse(config.Database, err)
	}
	_, err = keysFit(ctx, db, keys, config)
	return err
}

// keysFit fails where the database is of other keys, or the keys from before a rotation.
// known is false where it is new.
func keysFit(ctx context.Context, db *store.Store, keys *secrets.Keys, config Config) (known bool, err error) {
	sealed, err := db.KeyCheck(ctx)
	if err != nil {
		return false, cannotUse(config.Database, err)
	}
	return len(sealed) > 0, opens(keys, sealed, config)
}

func opens(keys *secrets.Keys, check []byte, config Config) error {
	if len(check) == 0 {
		return nil
	}
	if _, err := keys.Open(check, keyCheckPlace); err != nil {
		return fmt.Errorf("the %s does not belong to the database %s: put back the one that does", config.keySource().Name, config.Database)
	}
	return nil
}

// inOneLine is an error of the driver, which lists what it tried below each other.
type inOneLine struct{ error }

func (e inOneLine) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }
func (e inOneLine) Unwrap() error { return e.error }

func cannotUse(path string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, store.ErrNotSQLite) {
		return fmt.Errorf("the database %s is left as it is, correct LATCHKEY_DATABASE or restore your backup: %w", path, err)
	}
	if store.IsPostgres(path) {
		return fmt.Errorf("the database %s cannot be used, %s: %w", path, store.Remedy(err), inOneLine{err})
	}
	if errors.Is(err, models.ErrBusy) {
		return fmt.Errorf("the database %s is held by another program, stop that one and start again: %w", path, err)
	}
	return fmt.Errorf("the database %s cannot be used, check its mode, its disk and LATCHKEY_DATABASE: %w", path, err)
}
