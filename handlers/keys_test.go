package handlers_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

// K5: sessions go on while their key is replaced, and a browser that shows itself meanwhile is
// still known when the old key is gone.
func TestCookiesOutliveTheirKey(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, ana)
	path := filepath.Join(t.TempDir(), "keys.json")
	set, err := secrets.NewKeySet()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, set, 0o600); err != nil {
		t.Fatal(err)
	}
	step := func(change secrets.KeyChange) {
		t.Helper()
		if err := secrets.ChangeKeyFile(t.Context(), path, change); err != nil {
			t.Fatal(err)
		}
		keys, err := secrets.LoadKeys(path)
		if err != nil {
			t.Fatal(err)
		}
		s.keys.Replace(keys)
	}
	step(secrets.UseNewKeys) // other keys from the start, to have their file
	b.get(apps).expect(t, http.StatusSeeOther)
	b = s.signedIn(t, ana)
	known := b.cookie("latchkey_browser").Value
	step(secrets.AddKeys)
	b.get(apps).expect(t, http.StatusOK)
	if b.cookie("latchkey_browser").Value != known {
		t.Error("signed anew before the new key signs")
	}
	step(secrets.UseNewKeys)
	b.get(apps).expect(t, http.StatusOK)
	anew := b.cookie("latchkey_browser").Value
	if anew == known {
		t.Error("the browser's cookie is signed with the old key")
	}
	if b.get(apps); b.cookie("latchkey_browser").Value != anew {
		t.Error("signed anew each time")
	}
	names := s.keys.Names()
	step(secrets.DropKeys(names.Old(), names.OldSessions()))
	b.get(apps).expect(t, http.StatusSeeOther) // its session was let go too early here
	b.signIn(ana.Email, password)
	if n := s.db.Number(t, "SELECT COUNT(*) FROM known_browsers WHERE user_id = ?", ana.UserID); n != 2 {
		t.Errorf("%d browsers are known, want the first one's and the one that was signed anew", n)
	}
}
