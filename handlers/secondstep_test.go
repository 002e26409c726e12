package handlers_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// S16: a password alone signs nobody in who has a second factor; with it, under a new session ID.
func TestThePasswordIsTheFirstStepOnly(t *testing.T) {
	s := newSite(t)
	ana, app, _ := s.withApp(t, "ana")
	b := s.browser(t)
	if got := b.post("/login", "email", ana.Email, "password", password, "next", "/user/api_v2/access_tokens?q=x"); got.to() != "/login/second-factor" || b.cookie("latchkey_session") != nil {
		t.Fatalf("after the password: %s to %q", got.Status, got.to())
	}
	if got := b.get("/user/api_v2/applications"); !strings.HasPrefix(got.to(), "/login") {
		t.Fatalf("a page opens after the password: %s", got.Status)
	}
	b.get("/login/second-factor").expect(t, http.StatusOK, "Code from your authenticator app", "Use a recovery code")
	step := b.cookie("latchkey_step")
	for _, word := range []string{ana.UserID, ana.Email} {
		if strings.Contains(step.Value, word) { // S1
			t.Errorf("the cookie holds %s", word)
		}
	}
	if got := b.post("/login/second-factor", "code", app.code(t, 0)); got.to() != "/user/api_v2/access_tokens?q=x" {
		t.Fatalf("after the code: %s to %q %s", got.Status, got.to(), got.text())
	}
	if !b.signedInNow() || b.cookie("latchkey_step") != nil {
		t.Error("not signed in, or the step is not over")
	}
	event := s.db.Events(t, ana.TeamID)[0]
	if event.Action != models.AuditSignedIn || event.Detail != "with a password and an authenticator app, in a new browser" { // A3
		t.Errorf("recorded as %+v", event)
	}
	// D7: the step is over, whoever has kept its cookie.
	again := s.browser(t).do(http.MethodPost, "/login/second-factor", values("code", app.code(t, 1)), http.Header{"Cookie": {"latchkey_step=" + step.Value}})
	again.expect(t, http.StatusUnprocessableEntity, "Sign in again.")
	if got := s.browser(t).get("/login/second-factor"); got.to() != "/login" {
		t.Errorf("without a first step: %s to %q", got.Status, got.to())
	}
	s.browser(t).post("/login/second-factor", "code", app.code(t, 1)).expect(t, http.StatusUnprocessableEntity, "Sign in again.")
}

func TestTheSecondStepEnds(t *testing.T) { // S16
	s := newSite(t)
	ana, app, codes := s.withApp(t, "ana")
	b := s.atSecondStep(t, ana)
	s.db.Wait(10 * time.Minute)
	b.post("/login/second-factor", "code", app.code(t, 0)).expect(t, http.StatusUnprocessableEntity, "Sign in again.")
	for name, change := range map[string]string{
		"disabled":         "UPDATE users SET disabled_at = 1",
		"another password": "UPDATE users SET password_hash = '-'",
		"no factor":        "DELETE FROM authenticators",
	} {
		t.Run(name, func(t *testing.T) {
			for i, fields := range [][]string{{"code", app.code(t, 0)}, {"use", "recovery", "recovery", codes[0]}} {
				b := s.atSecondStep(t, ana)
				raw := s.db.Raw(t)
				var users string
				var sealed []byte
				var last int64
				if err := raw.QueryRowContext(t.Context(), "SELECT u.password_hash, a.sealed, a.last_step FROM users u JOIN authenticators a ON a.user_id = u.id").Scan(&users, &sealed, &last); err != nil {
					t.Fatal(err)
				}
				if _, err := raw.ExecContext(t.Context(), change); err != nil {
					t.Fatal(err)
				}
				b.post("/login/second-factor", fields...).expect(t, http.StatusUnprocessableEntity, "Sign in again.")
				if b.signedInNow() {
					t.Errorf("%d: signed in", i)
				}
				for query, args := range map[string][]any{
					"UPDATE users SET disabled_at = 0, password_hash = ?": {users},
					"INSERT INTO authenticators (user_id, sealed, last_step, created_at) SELECT id, ?, ?, 1 FROM users WHERE TRUE ON CONFLICT DO NOTHING": {sealed, last},
				} {
					if _, err := raw.ExecContext(t.Context(), query, args...); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

// S17: a used code is refused, also by its drift; one step of drift is taken, two are not.
func TestCodesCountOnceAndForShort(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	owner := s.signedIn(t, ana)
	a := app{s, seedOn(t, owner.post(factorPage+"/app"))}
	owner.post(factorPage+"/app/confirm", "code", a.code(t, 0)).expect(t, http.StatusOK, "Recovery codes")
	b := s.atSecondStep(t, ana)
	b.post("/login/second-factor", "code", a.code(t, 0)).expect(t, http.StatusUnprocessableEntity, "That code was used already. Wait for the next one.")
	b.post("/login/second-factor", "code", a.code(t, -1)).expect(t, http.StatusUnprocessableEntity, "used already")
	if got := b.post("/login/second-factor", "code", a.code(t, 1)); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("a clock that is one step ahead: %s %s", got.Status, got.text())
	}
	s.db.Wait(30 * time.Second)
	s.atSecondStep(t, ana).post("/login/second-factor", "code", a.code(t, 0)).expect(t, http.StatusUnprocessableEntity, "used already")
	s.db.Wait(5 * time.Minute)
	for drift, want := range map[int64]int{-2: http.StatusUnprocessableEntity, 2: http.StatusUnprocessableEntity, -1: http.StatusSeeOther} {
		if got := s.atSecondStep(t, ana).post("/login/second-factor", "code", a.code(t, drift)); got.StatusCode != want {
			t.Errorf("%d steps off: %s", drift, got.Status)
		}
		s.db.Wait(5 * time.Minute)
	}
}

// D8, S17, S18: of 50 uses of one code at once, one signs in.
func TestOneOfFifty(t *testing.T) {
	for name, fields := range map[string]func(a app, codes []string) []string{
		"code":     func(a app, _ []string) []string { return []string{"code", a.code(t, 0)} },
		"recovery": func(_ app, codes []string) []string { return []string{"use", "recovery", "recovery", codes[3]} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			ana, a, codes := s.withApp(t, "ana")
			var browsers []*browser
			for i := range 50 {
				b := s.browser(t)
				got := b.do(http.MethodPost, "/login", values("email", ana.Email, "password", password), address(i))
				if got.to() != "/login/second-factor" {
					t.Fatalf("%d: %s", i, got.Status)
				}
				browsers = append(browsers, b)
			}
			s.db.Wait(time.Minute)
			var won atomic.Int32
			var wait sync.WaitGroup
			for i, b := range browsers {
				wait.Go(func() {
					if b.do(http.MethodPost, "/login/second-factor", values(fields(a, codes)...), address(i)).StatusCode == http.StatusSeeOther {
						won.Add(1)
					}
				})
			}
			wait.Wait()
			if sessions := s.db.Number(t, "SELECT COUNT(*) FROM sessions WHERE created_at = ?", int64(s.db.Now())); won.Load() != 1 || sessions != 1 {
				t.Errorf("%d of 50 signed in, %d sessions", won.Load(), sessions)
			}
		})
	}
}

func address(i int) http.Header {
	return http.Header{"X-Forwarded-For": {fmt.Sprintf("198.51.100.%d", i)}}
}

// S17, S11: five tries, then a pause that grows; no live session and no known browser feels it.
func TestGuessingCodes(t *testing.T) {
	s := newSite(t)
	ana, a, codes := s.withApp(t, "ana")
	known := s.atSecondStep(t, ana)
	known.post("/login/second-factor", "code", a.code(t, 0)).expect(t, http.StatusSeeOther)
	s.db.Wait(time.Minute)
	b := s.atSecondStep(t, ana)
	for i := range 5 {
		fields := []string{"code", wrongCode(t, a)}
		if i%2 == 1 {
			fields = []string{"use", "recovery", "recovery", "3-AAAA-AAAA-AAAA-AAAA"}
		}
		b.post("/login/second-factor", fields...).expect(t, http.StatusUnprocessableEntity)
	}
	for _, fields := range [][]string{{"code", a.code(t, 0)}, {"use", "recovery", "recovery", codes[0]}} {
		got := b.post("/login/second-factor", fields...)
		got.expect(t, http.StatusTooManyRequests, "Too many attempts. Try again in 30 seconds.")
		// The password again gives no new tries.
		s.atSecondStep(t, ana).post("/login/second-factor", fields...).expect(t, http.StatusTooManyRequests)
	}
	known.get(factorPage).expect(t, http.StatusOK)
	s.db.Wait(15 * time.Minute)
	known.post("/confirm", "password", password).expect(t, http.StatusSeeOther)
	known.post("/logout")
	known.signIn(ana.Email, password)
	if got := known.post("/login/second-factor", "code", a.code(t, 0)); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the owner is locked out of a known browser: %s %s", got.Status, got.text())
	}
	failed := 0
	for _, event := range s.db.Events(t, ana.TeamID) {
		if event.Action == models.AuditSecondFactorFailed {
			failed++
			if event.TargetID != ana.UserID || event.Detail != "" {
				t.Errorf("recorded as %+v", event)
			}
		}
	}
	if failed != 5 {
		t.Errorf("%d failures are recorded", failed)
	}
}

// S17: guesses from many addresses slow the account as a whole, and guesses at once are
// bounded like those one after the other.
func TestGuessingCodesFromEverywhere(t *testing.T) {
	s := newSite(t)
	ana, a, _ := s.withApp(t, "ana")
	wrong := wrongCode(t, a)
	var checked atomic.Int32
	var wait sync.WaitGroup
	for i := range 60 {
		b := s.browser(t)
		if got := b.do(http.MethodPost, "/login", values("email", ana.Email, "password", password), address(i)); got.to() != "/login/second-factor" {
			t.Fatal(got.Status)
		}
		wait.Go(func() {
			if b.do(http.MethodPost, "/login/second-factor", values("code", wrong), address(i)).StatusCode == http.StatusUnprocessableEntity {
				checked.Add(1)
			}
		})
	}
	wait.Wait()
	if checked.Load() != 20 {
		t.Errorf("%d guesses were checked, want 20", checked.Load())
	}
}

func wrongCode(t *testing.T, a app) string {
	t.Helper()
	for n := range 5 {
		code := fmt.Sprintf("%06d", n)
		if code != a.code(t, -1) && code != a.code(t, 0) && code != a.code(t, 1) {
			return code
		}
	}
	t.Fatal("three codes below 000005")
	return ""
}

// S18: a recovery code signs in once, is counted, and its hash alone is stored.
func TestRecoveryCodes(t *testing.T) {
	s := newSite(t)
	ana, _, codes := s.withApp(t, "ana")
	for i, code := range codes {
		var stored string
		if err := s.db.Raw(t).QueryRowContext(t.Context(), "SELECT hash FROM recovery_codes WHERE number = ?", i).Scan(&stored); err != nil || !strings.HasPrefix(stored, "$argon2id$") || strings.Contains(stored, code[2:6]) {
			t.Errorf("stored as %q, %v", stored, err)
		}
	}
	b := s.atSecondStep(t, ana)
	page := b.get("/login/second-factor?use=recovery")
	page.expect(t, http.StatusOK, "Recovery code", "Use your second factor instead")
	typed := strings.ToLower(strings.ReplaceAll(codes[7], "-", " "))
	if got := b.post("/login/second-factor", "use", "recovery", "recovery", typed); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", got.Status, got.text())
	}
	b.get(factorPage).expect(t, http.StatusOK, "9 of 10 codes left.")
	events := s.db.Events(t, ana.TeamID)
	if events[0].Action == models.AuditRecoveryCodeUsed {
		events[0], events[1] = events[1], events[0]
	}
	if events[0].Detail != "with a password and a recovery code, in a new browser" || events[1].Action != models.AuditRecoveryCodeUsed || events[1].Detail != "9 codes left" || events[1].ActorID != ana.UserID {
		t.Errorf("recorded as %+v %+v", events[0], events[1])
	}
	for _, bad := range []string{codes[7], "8" + codes[7][1:], "", "7", strings.Repeat("7", 70_00)} {
		s.browser(t).signIn(ana.Email, password)
		got := s.atSecondStep(t, ana)
		got.do(http.MethodPost, "/login/second-factor", values("use", "recovery", "recovery", bad), address(len(bad)%250)).
			expect(t, http.StatusUnprocessableEntity, "That is not one of your unused recovery codes.")
	}
	b.get(factorPage+"/recovery-codes").expect(t, http.StatusOK, "Make new recovery codes?", "9 of 10 codes left.")
	fresh := codesOn(t, b.post(factorPage+"/recovery-codes"))
	b.get(factorPage).expect(t, http.StatusOK, "10 of 10 codes left.")
	s.atSecondStep(t, ana).post("/login/second-factor", "use", "recovery", "recovery", codes[0]).expect(t, http.StatusUnprocessableEntity)
	if got := s.atSecondStep(t, ana).post("/login/second-factor", "use", "recovery", "recovery", fresh[0]); got.StatusCode != http.StatusSeeOther {
		t.Errorf("a new code: %s", got.Status)
	}
	for range 12 { // R4
		if got := b.post(factorPage + "/recovery-codes"); got.StatusCode == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("codes are made without end")
}

// S16: whatever the first proof was, the store gives no session without the second, and
// spends it with the session.
func TestEveryWayInPassesTheGate(t *testing.T) {
	s := newSite(t)
	ana, _, _ := s.withApp(t, "ana")
	now := int64(s.db.Now()) / 30_000
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "INSERT INTO identities (issuer, subject, user_id, email, created_at) VALUES ('i', 's', ?, '', 1)", ana.UserID); err != nil {
		t.Fatal(err)
	}
	for _, way := range []struct {
		method models.SignInMethod
		factor models.Evidence
		err    error
	}{
		{models.ByPassword, models.Evidence{}, models.ErrForbidden},
		{models.ByLink, models.Evidence{}, models.ErrForbidden},
		{models.ByProvider, models.Evidence{}, models.ErrForbidden},
		{models.ByPasskey, models.Evidence{}, models.ErrForbidden},
		{models.ByPasskey, models.Evidence{Kind: models.FactorPasskey, Passkey: models.Passkey{ID: "no such"}}, models.ErrNotFound},
		{models.ByLink, models.Evidence{Kind: models.FactorRecoveryCode, Code: 3, CodeHash: "no such"}, models.ErrNotFound},
		{models.ByPassword, models.Evidence{Kind: models.FactorAuthenticator, Step: now - 100}, models.ErrNotFound},
		{models.ByPassword, models.Evidence{Kind: models.FactorAuthenticator, Step: now}, nil},
		{models.ByLink, models.Evidence{Kind: models.FactorAuthenticator, Step: now + 1}, nil},
		{models.ByProvider, models.Evidence{Kind: models.FactorAuthenticator, Step: now + 2}, nil},
		{models.ByProvider, models.Evidence{Kind: models.FactorAuthenticator, Step: now + 2}, models.ErrNotFound},
	} {
		proof := models.Proof{UserID: ana.UserID, Method: way.method, PasswordHash: passwordHash(), Factor: way.factor}
		err := s.db.SignIn(t.Context(), ana, models.Session{IDHash: []byte(fmt.Sprint(way)), UserID: ana.UserID}, proof, nil, []byte("b"))
		if !errors.Is(err, way.err) || (err == nil) != (way.err == nil) {
			t.Errorf("%+v: %v", way, err)
		}
	}
}
