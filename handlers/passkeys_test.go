package handlers_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/latchkey/latchkey/models"
)

// S16, S19: a passkey alone signs in, whoever's it is, and is both factors.
func TestSignInByPasskey(t *testing.T) {
	s := newSite(t, localhost)
	ana, d, _ := s.withPasskey(t, "ana")
	s.browser(t).get("/login").expect(t, http.StatusOK, "Sign in with a passkey")
	b := s.browser(t)
	if got := b.passkeySignIn(d, "next", "/user/api_v2/access_tokens"); got.to() != "/user/api_v2/access_tokens" {
		t.Fatalf("%s to %q: %s", got.Status, got.to(), got.text())
	}
	b.get(factorPage).expect(t, http.StatusOK, "Laptop", "Just now")
	event := s.db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditSignedIn || event.ActorID != ana.UserID || event.Detail != "with a passkey (Laptop), in a new browser" {
		t.Errorf("recorded as %+v", event)
	}
	if got := s.browser(t).passkeySignIn(d, "next", "//evil.example"); got.to() != "/user/api_v2/applications" { // P8
		t.Errorf("led to %q", got.to())
	}
	var handle []byte
	if err := s.db.Raw(t).QueryRowContext(t.Context(), "SELECT handle FROM passkeys").Scan(&handle); err != nil || len(handle) != 32 || strings.Contains(ana.UserID, string(handle)) {
		t.Errorf("the handle is %x, %v", handle, err)
	}
	disable(t, s, "ana")
	s.browser(t).passkeySignIn(d).expect(t, http.StatusUnprocessableEntity, "That passkey was not accepted.")
	if got := b.get(factorPage); got.StatusCode != http.StatusSeeOther { // S3
		t.Errorf("the session of a disabled user: %s", got.Status)
	}
}

// S19: a challenge is one browser's, for one purpose, once, for five minutes.
func TestChallenges(t *testing.T) {
	s := newSite(t, localhost)
	_, d, _ := s.withPasskey(t, "ana")
	refused := func(got answer) {
		t.Helper()
		got.expect(t, http.StatusUnprocessableEntity, "That passkey was not accepted. Try again or use another way.")
	}
	b := s.browser(t)
	first := b.options("/login/passkey", nil)
	asked, err := virtualwebauthn.ParseAssertionOptions(first.body)
	if err != nil || len(asked.Challenge) != 32 || asked.RelyingPartyID != "localhost" || len(asked.AllowCredentials) != 0 || !strings.Contains(first.body, `"userVerification":"required"`) {
		t.Fatalf("%s %v", first.body, err)
	}
	if first.Header.Get("Cache-Control") != "no-store" {
		t.Error("a challenge may be kept")
	}
	reply := d.proves(t, first)
	refused(s.browser(t).post("/login/passkey", "credential", reply)) // not this browser's
	if got := b.post("/login/passkey", "credential", reply); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	b.post("/logout")
	refused(b.post("/login/passkey", "credential", reply)) // used

	reply = d.proves(t, b.options("/login/passkey", nil))
	b.options("/login/passkey", nil)
	refused(b.post("/login/passkey", "credential", reply)) // another was asked for since

	reply = d.proves(t, b.options("/login/passkey", nil))
	s.db.Wait(5 * time.Minute)
	refused(b.post("/login/passkey", "credential", reply)) // late

	step := s.browser(t)
	step.signIn("ana@northwind.example", password)
	reply = d.proves(t, step.options("/login/passkey", nil))
	step.post("/login/second-factor", "credential", reply).expect(t, http.StatusUnprocessableEntity, "That passkey was not accepted.") // of another purpose

	for _, bad := range []string{"", "{}", "null", "[", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`, strings.Repeat("A", 60_000)} {
		b.options("/login/passkey", nil)
		refused(b.post("/login/passkey", "credential", bad))
	}
	refused(b.post("/login/passkey"))
	b.post("/login/passkey", "credential", strings.Repeat("A", 70_000)).expect(t, http.StatusRequestEntityTooLarge)
}

// S19: origin, RP ID, presence and verification of the user, key and counter are all checked.
func TestForgedPasskeys(t *testing.T) {
	for name, forge := range map[string]func(d *device){
		"another origin":    func(d *device) { d.site.Origin = "http://evil.example" },
		"another port":      func(d *device) { d.site.Origin = "http://localhost:9090" },
		"https":             func(d *device) { d.site.Origin = "https://localhost:8080" },
		"another RP ID":     func(d *device) { d.site.ID = "evil.example" },
		"user not verified": func(d *device) { d.auth.Options.UserNotVerified = true },
		"user not present":  func(d *device) { d.auth.Options.UserNotPresent = true },
		"another key": func(d *device) {
			id := d.key.ID
			d.key = newCredential()
			d.key.ID = id
		},
		"unknown credential":    func(d *device) { d.key.ID = []byte("0123456789abcdef0123456789abcdef") },
		"another handle":        func(d *device) { d.auth.Options.UserHandle = []byte("0123456789abcdef0123456789abcdef") },
		"no handle":             func(d *device) { d.auth.Options.UserHandle = nil },
		"became backup-capable": func(d *device) { d.auth.Options.BackupEligible = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, localhost)
			ana, d, _ := s.withPasskey(t, "ana")
			forged := *d
			forge(&forged)
			b := s.browser(t)
			b.passkeySignIn(&forged).expect(t, http.StatusUnprocessableEntity, "That passkey was not accepted.")
			if b.signedInNow() {
				t.Error("signed in")
			}
			if got := s.browser(t).passkeySignIn(d); got.StatusCode != http.StatusSeeOther {
				t.Errorf("the good one: %s", got.Status)
			}
			// A passkey that cannot be made here is not added either.
			if strings.HasPrefix(name, "another origin") || strings.HasPrefix(name, "user not") || name == "another RP ID" {
				other := newDevice()
				forge(other)
				s.signedInByPasskey(t, d).addPasskey(other, "Other").expect(t, http.StatusUnprocessableEntity, "No passkey was added. Try again.")
				if n := s.db.Number(t, "SELECT COUNT(*) FROM passkeys"); n != 1 {
					t.Errorf("%d passkeys", n)
				}
			}
			_ = ana
		})
	}
}

func (s *site) signedInByPasskey(t testing.TB, d *device) *browser {
	t.Helper()
	b := s.browser(t)
	if got := b.passkeySignIn(d); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	return b
}

// S19: a counter that runs backward is refused and recorded.
func TestACopiedPasskey(t *testing.T) {
	s := newSite(t, localhost)
	ana, d, _ := s.withPasskey(t, "ana")
	s.signedInByPasskey(t, d)
	s.signedInByPasskey(t, d)
	copied := *d
	copied.key.Counter = 0 // and 1 when it is used
	s.browser(t).passkeySignIn(&copied).expect(t, http.StatusUnprocessableEntity, "That passkey was not accepted.")
	found := false
	for _, event := range s.db.Events(t, ana.TeamID) {
		found = found || event.Action == models.AuditPasskeyRefused && event.TargetID == ana.UserID && strings.Contains(event.Detail, "Laptop: its counter ran backward")
	}
	if !found {
		t.Error("it is not recorded")
	}
	s.signedInByPasskey(t, d)
}

// S19: nobody is signed in by another's passkey, whichever way it is offered.
func TestAnothersPasskey(t *testing.T) {
	s := newSite(t, localhost)
	_, mine, _ := s.withPasskey(t, "ana")
	ben, theirs, _ := s.withPasskey(t, "ben")
	b := s.atSecondStep(t, ben)
	mine.key.Counter += 5
	b.post("/login/second-factor", "credential", mine.proves(t, b.options("/login/second-factor", nil))).expect(t, http.StatusUnprocessableEntity, "That passkey was not accepted.")
	stolen := *mine
	stolen.auth.Options.UserHandle = theirs.auth.Options.UserHandle
	s.browser(t).passkeySignIn(&stolen).expect(t, http.StatusUnprocessableEntity)
	if got := b.post("/login/second-factor", "credential", theirs.proves(t, b.options("/login/second-factor", nil))); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	if event := s.db.Events(t, ben.TeamID)[0]; event.Detail != "with a password and a passkey (Laptop), in a new browser" || event.ActorID != ben.UserID {
		t.Errorf("recorded as %+v", event)
	}
	b.get(factorPage).expect(t, http.StatusOK)
	// Ben cannot add Ana's credential to his account, nor remove it from hers.
	again := newDevice()
	again.key = mine.key
	b.addPasskey(again, "Ana's").expect(t, http.StatusConflict)
	var id string
	if err := s.db.Raw(t).QueryRowContext(t.Context(), "SELECT p.id FROM passkeys p JOIN users u ON u.id = p.user_id WHERE u.name = 'ana'").Scan(&id); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{factorPage + "/passkeys/" + id + "/remove", factorPage + "/passkeys/none/remove"} { // D3
		b.get(path).expect(t, http.StatusNotFound)
		b.post(path).expect(t, http.StatusNotFound)
	}
	s.signedInByPasskey(t, mine)
}

// D8: of 50 posts of one answer, one signs in.
func TestOneAnswerSignsInOnce(t *testing.T) {
	s := newSite(t, localhost)
	_, d, _ := s.withPasskey(t, "ana")
	b := s.browser(t)
	reply := d.proves(t, b.options("/login/passkey", nil))
	step := b.cookie("latchkey_passkey").Value
	var won atomic.Int32
	var wait sync.WaitGroup
	for i := range 50 {
		other := s.browser(t)
		wait.Go(func() {
			header := address(i)
			header.Set("Cookie", "latchkey_passkey="+step)
			if other.do(http.MethodPost, "/login/passkey", values("credential", reply), header).StatusCode == http.StatusSeeOther {
				won.Add(1)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 50 signed in", won.Load())
	}
}

// S7: a passkey is a fresh proof, and the deed goes on.
func TestConfirmByPasskey(t *testing.T) {
	s := newSite(t, localhost)
	ana, d, _ := s.withPasskey(t, "ana")
	app, _ := s.application(t, ana, "Bot")
	page := "/user/api_v2/applications/" + app.ID
	b := s.signedInByPasskey(t, d)
	s.db.Wait(16 * time.Minute)
	at := b.post(page+"/delete", "confirm", "Bot").to()
	shown := b.get(at)
	shown.expect(t, http.StatusOK, "Use a passkey")
	deed, _ := shown.field("deed")
	before := b.cookie("latchkey_session").Value
	forged := *d
	forged.auth.Options.UserNotVerified = true
	b.post("/confirm/passkey", "next", page, "deed", deed, "credential", forged.proves(t, b.options("/confirm/passkey", nil))).expect(t, http.StatusUnprocessableEntity, "That passkey was not accepted.")
	got := b.post("/confirm/passkey", "next", page, "deed", deed, "credential", d.proves(t, b.options("/confirm/passkey", nil)))
	if got.to() != "/user/api_v2/applications" || b.cookie("latchkey_session").Value == before { // S2
		t.Fatalf("%s to %q %s", got.Status, got.to(), got.text())
	}
	b.get("/user/api_v2/applications").expect(t, http.StatusOK, "Bot was deleted.")
	// Without a passkey there is nothing to ask for: any passkey of the device would do else.
	ben := s.signedIn(t, s.member(t, "northwind", "ben", models.RoleViewer))
	ben.options("/confirm/passkey", nil).expect(t, http.StatusNotFound)
	ben.get("/confirm").expect(t, http.StatusOK)
	ben.post("/confirm/passkey", "credential", d.proves(t, s.browser(t).options("/login/passkey", nil))).expect(t, http.StatusUnprocessableEntity)
}

func TestPasskeysHaveNames(t *testing.T) { // D5, P1
	s := newSite(t, localhost)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	b := s.signedIn(t, ana)
	const name = `"><svg onload=alert(1)>`
	codesOn(t, b.addPasskey(newDevice(), name))
	shown := b.get(factorPage)
	shown.expect(t, http.StatusOK, name, "Never Remove the passkey "+name)
	if strings.Contains(shown.body, "<svg onload") {
		t.Error("the name is markup")
	}
	for bad, problem := range map[string]string{
		"": "Enter a name.", strings.Repeat("é", 65): "Use at most 64 characters.", strings.ToUpper(name): "You have a passkey called " + name + " already. Choose another name.",
	} {
		b.options(factorPage+"/passkeys", values("name", bad)).expect(t, http.StatusUnprocessableEntity)
		got := b.post(factorPage+"/passkeys", "name", bad)
		got.expect(t, http.StatusUnprocessableEntity)
		if _, beside := got.field("name"); beside != problem {
			t.Errorf("%.20q: %q", bad, beside)
		}
	}
	for i := range 9 {
		if got := b.addPasskey(newDevice(), strings.Repeat("k", i+1)); got.to() != factorPage {
			t.Fatalf("%d: %s %s", i, got.Status, got.text())
		}
	}
	b.get(factorPage).expect(t, http.StatusOK, "You have 10 passkeys, which is the most. Remove one to add another.")
	b.post(factorPage+"/passkeys", "name", "Eleventh").expect(t, http.StatusUnprocessableEntity)
	if events := s.db.Events(t, ana.TeamID); events[0].Action != models.AuditPasskeyAdded || events[0].Detail != strings.Repeat("k", 9) {
		t.Errorf("recorded as %+v", events[0])
	}
}

// A site at an IP address has no passkeys, and says so.
func TestNoPasskeysAtAnAddress(t *testing.T) { // S19
	s := newSite(t)
	b := s.signedIn(t, s.member(t, "northwind", "ana", models.RoleOwner))
	page := b.get(factorPage)
	page.expect(t, http.StatusOK, "Passkeys need a site with a name, and this one is opened as 127.0.0.1")
	if strings.Contains(page.body, "data-passkey=") || strings.Contains(s.browser(t).get("/login").body, "data-passkey") {
		t.Error("a passkey is offered")
	}
	b.options("/login/passkey", nil).expect(t, http.StatusNotFound)
	b.options("/confirm/passkey", nil).expect(t, http.StatusNotFound)
	b.options(factorPage+"/passkeys", values("name", "x")).expect(t, http.StatusUnprocessableEntity)
	b.post("/login/passkey", "credential", "{}").expect(t, http.StatusUnprocessableEntity)
}

// R3: what strangers may store is bounded.
func TestChallengesAreBounded(t *testing.T) {
	s := newSite(t, localhost)
	b := s.browser(t)
	for range 70 {
		if b.options("/login/passkey", nil).StatusCode == http.StatusTooManyRequests {
			if n := s.db.Number(t, "SELECT COUNT(*) FROM ceremonies WHERE kind <> 'setup'"); n > 60 {
				t.Errorf("%d are stored", n)
			}
			return
		}
	}
	t.Error("challenges without end")
}
