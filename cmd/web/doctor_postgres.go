package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/latchkey/latchkey/store"
)

const (
	// oldestPostgres is what the tests run on.
	oldestPostgres = 150000
	// nodeSlack is by how much the clocks of nodes on one database may differ.
	nodeSlack = 2 * time.Second
)

func checkPostgres(ctx context.Context, d doctor, say func(verdict, string)) {
	address, shown := d.config.address.Reveal(), d.config.Database
	exposed, err := store.InTheClear(address)
	if err != nil {
		say(wrong, "LATCHKEY_DATABASE: "+err.Error())
		return
	}
	if exposed {
		say(warning, "the connection to "+shown+" is not protected: add sslmode=verify-full to LATCHKEY_DATABASE, and sslrootcert with the authority of its certificate")
	}
	found, err := store.ExamineServer(ctx, address)
	if err != nil {
		say(wrong, cannotUse(shown, err).Error())
		return
	}
	if direct := d.config.direct.Reveal(); direct != "" {
		check := found.KeyCheck
		if found, err = store.ExamineServer(ctx, direct); err != nil { // what listens must listen there
			say(wrong, "LATCHKEY_DATABASE_DIRECT: "+cannotUse(store.ShownAddress(direct), err).Error())
			return
		}
		if !bytes.Equal(check, found.KeyCheck) {
			say(wrong, "LATCHKEY_DATABASE and LATCHKEY_DATABASE_DIRECT lead to different databases: correct one of them")
			return
		}
	}
	d.judgeServer(found, say)
	d.judgeVersion(found.Version, say)
	d.judgeKeys(ctx, found.KeyCheck, say)
}

func (d doctor) judgeServer(found store.ServerExamination, say func(verdict, string)) {
	release := fmt.Sprintf("PostgreSQL %d.%d", found.Number/10000, found.Number%10000)
	switch {
	case found.Standby:
		say(wrong, release+" is a standby, which takes no writes: name the primary in LATCHKEY_DATABASE")
	case found.Number < oldestPostgres:
		say(warning, release+" is older than what Latchkey was tested with: 15 or newer")
	default:
		say(fine, release+" answers")
	}
	slices.Sort(found.Risky)
	for _, name := range found.Risky {
		say(wrong, name+" is off: when the server crashes, tokens that were answered are lost. Switch it on in postgresql.conf")
	}
	if found.Superuser {
		say(warning, "Latchkey's role is a superuser: give it one that owns the tables and nothing else (ALTER ROLE … NOSUPERUSER)")
	}
	switch {
	case found.Pooled:
		say(wrong, "a pooler stands before it and keeps back what belongs to a session: set LATCHKEY_DATABASE_DIRECT to its address without one")
	case !found.Listens:
		say(wrong, "notices do not come through, so that other nodes would learn of a revocation late: connect past whatever stands before it")
	}
	if off := found.Now.Std().Sub(d.now).Abs(); off > nodeSlack {
		say(wrong, fmt.Sprintf("the clocks of the server and of this machine differ by %s: set them by NTP", off.Round(time.Second)))
	}
}
