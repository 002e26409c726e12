package store_test

import (
	"errors"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// A4: what a browser says of itself may be no text at all. It is noted as it can be, and the
// chain holds; whoever is looked for under such a name is not found.
func TestTextsThatAreNone(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for _, text := range []string{"a\x00b", "\xff\xfe", "\xed\xa0\x80", "good\u2028", "\x00"} {
		ana.UserAgent, ana.RequestID = text, text
		if err := db.Refused(t.Context(), ana, "GET /"+text, text); err != nil {
			t.Errorf("%q is not noted: %v", text, err)
		}
		for name, find := range map[string]func() error{
			"client":  func() error { _, err := db.ClientByID(t.Context(), text); return err },
			"page":    func() error { _, err := db.Store.Application(t.Context(), ana.TeamID, text); return err },
			"account": func() error { _, err := db.UserByEmail(t.Context(), text); return err },
			"session": func() error { _, _, err := db.Session(t.Context(), []byte(text)); return err },
			"change":  func() error { return db.SwitchApplication(t.Context(), ana, text, false) },
		} {
			if err := find(); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("%s by %q: %v", name, text, err)
			}
		}
		if _, err := db.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{Search: text}); err != nil {
			t.Errorf("a search for %q: %v", text, err)
		}
	}
	wantWhole(t, db, ana.TeamID)
}
