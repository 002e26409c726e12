package main

import (
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
)

// S15, S18: a shell on the host replaces a lost factor, recorded, and ends all sessions.
func TestResetSecondFactor(t *testing.T) {
	env := folder(t)
	reset := func(email string) (int, string, string) {
		return call(t, env, "", "user", "reset-second-factor", "--email", email)
	}
	if code, _, stderr := reset("ana@example.com"); code != exitFailed || !strings.Contains(stderr, "There is no database") && !strings.Contains(stderr, "there is no database") {
		t.Fatalf("exit %d %q", code, stderr)
	}
	if code, _, stderr := call(t, env, "plum-Fiddle-84-wharf", "user", "add", "--email", "ana@example.com", "--name", "Ana", "--team", "T", "--password-stdin"); code != exitDone {
		t.Fatal(stderr)
	}
	for email, want := range map[string]struct {
		code int
		says string
	}{
		"ana@example.com":   {exitDone, "ana@example.com has no second factor: nothing was changed."},
		"who@example.com":   {exitFailed, "there is no account with the email who@example.com"},
		"":                  {exitUsage, "--email: Enter an email address."},
		"ana at example":    {exitUsage, "--email: Enter"},
		"ANA@EXAMPLE.COM  ": {exitDone, "has no second factor"},
	} {
		if code, stdout, stderr := reset(email); code != want.code || !strings.Contains(stdout+stderr, want.says) {
			t.Errorf("%q: exit %d %q %q", email, code, stdout, stderr)
		}
	}
	db, err := store.Open(env["LATCHKEY_DATABASE"], func() models.Time { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	user, err := db.UserByEmail(t.Context(), "ana@example.com")
	if err != nil {
		t.Fatal(err)
	}
	ana := models.Actor{UserID: user.ID, UserName: user.Name}
	if err := db.AddAuthenticator(t.Context(), ana, models.Authenticator{Sealed: []byte("sealed")}, []string{"hash"}, []byte("keep")); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := reset("ana@example.com"); code != exitDone || !strings.Contains(stdout, "were removed and their sessions were ended") {
		t.Errorf("exit %d %q %q", code, stdout, stderr)
	}
	factors, err := db.Factors(t.Context(), user.ID)
	if err != nil || factors.Any() || factors.Codes != 0 {
		t.Errorf("%+v, %v", factors, err)
	}
}
