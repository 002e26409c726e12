package main

import (
	"strings"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

func parseDatabase(c *Config, value string) string {
	c.Database, c.address = store.ShownAddress(value), models.NewSecret(value)
	if strings.Contains(value, "://") && !store.IsPostgres(value) {
		return "write the path of a SQLite file, such as data/latchkey.db, or an address that begins with postgres://"
	}
	return required(value)
}

func parseDirect(c *Config, value string) string {
	c.direct = models.NewSecret(value)
	if value != "" && !store.IsPostgres(value) {
		return "write an address that begins with postgres://"
	}
	return ""
}

// checkDatabase refuses to send what the database holds in the clear, and an address that
// cannot be read.
func (c *Config) checkDatabase() []string {
	var wrong []string
	if !c.direct.IsEmpty() && !store.IsPostgres(c.address.Reveal()) {
		wrong = append(wrong, "--database-direct (LATCHKEY_DATABASE_DIRECT): leave it empty beside a SQLite file")
	}
	for _, s := range []struct {
		name    string
		address models.Secret
	}{{"--database (LATCHKEY_DATABASE)", c.address}, {"--database-direct (LATCHKEY_DATABASE_DIRECT)", c.direct}} {
		address := s.address.Reveal()
		if !store.IsPostgres(address) {
			continue
		}
		exposed, err := store.InTheClear(address)
		switch {
		case err != nil:
			wrong = append(wrong, s.name+": "+err.Error())
		case exposed && !c.allowHTTP && c.allowHTTPRead:
			wrong = append(wrong, s.name+": add sslmode=verify-full, or set LATCHKEY_ALLOW_HTTP=true to send passwords and tokens in the clear")
		}
	}
	return wrong
}

// inFile tells whether the database is a file of this machine.
func (c Config) inFile() bool { return !store.IsPostgres(c.Database) }

// openStore opens the database without making tables.
func openStore(c Config) (*store.Store, error) {
	return store.Open(c.address.Reveal(), clockMillis, store.Options{Direct: c.direct.Reveal()})
}
