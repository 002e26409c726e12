package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func names(list models.ApplicationList) (names []string) {
	for _, row := range list.Rows {
		names = append(names, row.Name)
	}
	return names
}

func TestApplicationsSortSearchAndPages(t *testing.T) { // D1
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for i := range 30 {
		db.Application(t, ana, fmt.Sprintf("App %02d", i))
	}
	odd := db.Application(t, ana, `100%_\ "sure"`)
	busy := db.Application(t, ana, "Émile")
	for i := range 3 {
		db.Token(t, ana, busy, models.KindClientCredentials, fmt.Sprint("c", i))
	}
	db.Token(t, ana, odd, models.KindManual, "m")
	list := func(query models.ApplicationQuery) models.ApplicationList {
		t.Helper()
		got, err := db.Applications(t.Context(), ana.TeamID, query)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first, second := list(models.ApplicationQuery{Page: 1}), list(models.ApplicationQuery{Page: 2})
	if first.Total != 33 || len(first.Rows) != 25 || len(second.Rows) != 8 { // the one that is built in among them
		t.Fatalf("pages of %d and %d of %d", len(first.Rows), len(second.Rows), first.Total)
	}
	if all := append(names(first), names(second)...); all[0] != odd.Name || all[32] != "Émile" || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 33 {
		t.Errorf("order by name: %v", all)
	}
	if got := list(models.ApplicationQuery{Page: 1 << 40}); len(got.Rows) != 0 || got.Total != 33 {
		t.Errorf("a page after the last one has %d rows", len(got.Rows))
	}
	if got := list(models.ApplicationQuery{Sort: models.SortActive, Desc: true}); got.Rows[0].Name != "Émile" || got.Rows[0].ActiveTokens != 3 || got.Rows[1].ActiveTokens != 1 {
		t.Errorf("by active tokens: %v", names(got)[:2])
	}
	if got := list(models.ApplicationQuery{Sort: "name; DROP TABLE users"}); got.Rows[0].Name != odd.Name {
		t.Errorf("an unknown column does not fall back to the name: %v", names(got)[:2])
	}
	for search, want := range map[string]int{"app 0": 10, "%": 1, "_": 1, `\`: 1, `"`: 1, "ÉMILE": 1, "x' OR 1=1 --": 0, busy.ClientID[3:20]: 1} {
		if got := list(models.ApplicationQuery{Search: search}); len(got.Rows) != want || got.Total != int64(want) {
			t.Errorf("search %q found %v, want %d", search, names(got), want)
		}
	}
}

// A list counts a few tokens and says where there are more; sorted by them it
// counts them all, and so does the application's own page.
func TestManyTokensAreCountedUpToABound(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	for _, step := range []struct {
		add    int
		listed int64
		more   bool
		all    int64
	}{{models.ListedTokens, models.ListedTokens, false, models.ListedTokens}, {1, models.ListedTokens, true, models.ListedTokens + 1}} {
		db.Tokens(t, app, step.add, models.Token{})
		for _, test := range []struct {
			sort  models.ApplicationSort
			count int64
			more  bool
		}{{"", step.listed, step.more}, {models.SortLastUsed, step.listed, step.more}, {models.SortActive, step.all, false}} {
			list, err := db.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{Sort: test.sort, Search: app.ClientID})
			if err != nil || list.Rows[0].ActiveTokens != test.count || list.Rows[0].MoreTokens != test.more {
				t.Errorf("sorted by %q: %+v, %v", test.sort, list.Rows, err)
			}
		}
		if own, err := db.Store.Application(t.Context(), ana.TeamID, app.ID); err != nil || own.ActiveTokens != step.all {
			t.Errorf("its own page: %d, %v", own.ActiveTokens, err)
		}
	}
}

func TestManualTokensActiveFirstEndedBehindAFilter(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	expired := db.Token(t, ana, app, models.KindManual, "old")
	db.Wait(time.Hour)
	revoked := db.Token(t, ana, app, models.KindManual, "revoked")
	db.Wait(time.Minute)
	older := db.Token(t, ana, app, models.KindManual, "older")
	db.Wait(time.Minute)
	newer := db.Token(t, ana, app, models.KindManual, "newer")
	db.Token(t, ana, app, models.KindClientCredentials, "program")
	if _, was, err := db.RevokeToken(t.Context(), ana, app.ID, revoked.ID); err != nil || !was {
		t.Fatalf("revoke: %v %v", was, err)
	}
	ids := func(ended bool) (ids []string) {
		got, err := db.ManualTokens(t.Context(), ana.TeamID, app.ID, models.TokenQuery{Ended: ended})
		if err != nil || got.EndedTotal != 2 {
			t.Fatalf("%d ended, %v", got.EndedTotal, err)
		}
		for _, row := range got.Rows {
			ids = append(ids, row.ID)
			if row.CreatedByName != "ana" || row.Sealed != nil || row.Hash != nil {
				t.Errorf("row %+v", row)
			}
		}
		return ids
	}
	if got := ids(false); !slices.Equal(got, []string{newer.ID, older.ID}) {
		t.Errorf("active: %v", got)
	}
	if got := ids(true); !slices.Equal(got, []string{newer.ID, older.ID, revoked.ID, expired.ID}) {
		t.Errorf("with ended ones: %v", got)
	}
	n, err := db.RevokeTokens(t.Context(), ana, app.ID)
	if n != 3 || err != nil {
		t.Errorf("revoked %d (%v), want 3: two manual, one of the endpoint", n, err)
	}
	detail, err := db.Store.Application(t.Context(), ana.TeamID, app.ID)
	if err != nil || detail.ActiveTokens != 0 || detail.CreatedByName != "ana" || len(detail.Secrets) != 1 || detail.Secrets[0].Sealed != nil {
		t.Errorf("detail %+v %v", detail, err)
	}
}

func TestEndedTokensCannotBeShown(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	revoked, expired := db.Token(t, ana, app, models.KindManual, "a"), db.Token(t, ana, app, models.KindManual, "b")
	program := db.Token(t, ana, app, models.KindClientCredentials, "c")
	if _, _, err := db.RevokeToken(t.Context(), ana, app.ID, revoked.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := db.RevealToken(t.Context(), ana, app.ID, expired.ID); err != nil || string(got.Sealed) != "sealed b" {
		t.Fatalf("an active one: %v", err)
	}
	db.Wait(time.Hour)
	for _, token := range []models.Token{revoked, expired, program} {
		if _, err := db.RevealToken(t.Context(), ana, app.ID, token.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
	// T7: the sealed value went with the revocation.
	var sealed []byte
	if err := db.Raw(t).QueryRowContext(t.Context(), "SELECT sealed FROM tokens WHERE id = ?", revoked.ID).Scan(&sealed); err != nil || sealed != nil {
		t.Errorf("sealed %v, %v", sealed, err)
	}
}

func TestLastUsedNeverMovesBack(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	token := db.Token(t, ana, app, models.KindManual, "a")
	for _, at := range []models.Time{2000, 1000} {
		if err := db.SaveLastUsed(t.Context(), []models.TokenUse{{TokenID: token.ID, ApplicationID: app.ID, At: at, From: fmt.Sprint(at)}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.Store.Token(t.Context(), ana.TeamID, app.ID, token.ID)
	if err != nil || got.LastUsedAt != 2000 || got.LastUsedFrom != "2000" {
		t.Errorf("last used %d from %s, %v", got.LastUsedAt, got.LastUsedFrom, err)
	}
	detail, _ := db.Store.Application(t.Context(), ana.TeamID, app.ID)
	if detail.LastUsedAt != 2000 {
		t.Errorf("application last used %d", detail.LastUsedAt)
	}
}

func TestSessionsOldestEndsAndMembershipDecides(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	for i := range 21 { // S4
		db.Wait(time.Second)
		session := models.Session{IDHash: fmt.Append(nil, i), UserID: ana.UserID}
		if err := db.SignIn(t.Context(), ana, session, byPassword(ana, "-"), nil, []byte("browser")); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := db.Session(t.Context(), []byte("0")); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("the oldest of 21 sessions lives: %v", err)
	}
	_, actor, err := db.Session(t.Context(), []byte("20"))
	if err != nil || actor.Role != models.RoleOwner || actor.TeamID != ana.TeamID || actor.UserName != "ana" {
		t.Fatalf("actor %+v %v", actor, err)
	}
	if known, err := db.KnownBrowser(t.Context(), ana.UserID, []byte("browser")); !known || err != nil {
		t.Errorf("the browser is not known: %v", err)
	}
	raw := db.Raw(t)
	if _, err := raw.ExecContext(t.Context(), "UPDATE members SET role = 'viewer'"); err != nil {
		t.Fatal(err)
	}
	if _, actor, _ = db.Session(t.Context(), []byte("20")); actor.Role != models.RoleViewer { // S2
		t.Errorf("role %s is not read anew", actor.Role)
	}
	if _, err := raw.ExecContext(t.Context(), "UPDATE users SET disabled_at = 1"); err != nil {
		t.Fatal(err)
	}
	if _, _, err = db.Session(t.Context(), []byte("20")); !errors.Is(err, models.ErrNotFound) { // S3
		t.Errorf("a disabled user has a session: %v", err)
	}
}

// byPassword proves an account by the hash that its password was compared with.
func byPassword(actor models.Actor, hash string) models.Proof {
	return models.Proof{UserID: actor.UserID, Method: models.ByPassword, PasswordHash: hash}
}

func TestPasswordChangeEndsSessions(t *testing.T) { // S3
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	if err := db.SignIn(t.Context(), ana, models.Session{IDHash: []byte("x"), UserID: ana.UserID}, byPassword(ana, "-"), nil, []byte("b")); err != nil {
		t.Fatal(err)
	}
	if err := db.SetPassword(t.Context(), models.CommandLine, "ANA@northwind.example", "new"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Session(t.Context(), []byte("x")); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("session after the change: %v", err)
	}
	if err := db.SetPassword(t.Context(), models.CommandLine, "nobody@example.com", "new"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("unknown email: %v", err)
	}
}

func TestFirstMemberOfATeamIsAnOwner(t *testing.T) {
	db := storetest.New(t)
	var fields models.FieldErrors
	account := store.Account{Name: "V", Email: "v@example.com", PasswordHash: "-", Team: "New", Role: models.RoleViewer}
	if _, err := db.AddUser(t.Context(), models.CommandLine, account); !errors.As(err, &fields) || fields["role"] == "" {
		t.Fatalf("got %v", err)
	}
	if exists, err := db.AnyUser(t.Context()); exists || err != nil {
		t.Errorf("something is half done: %v", err)
	}
	db.Member(t, "new", "ana", "")
	if _, err := db.AddUser(t.Context(), models.CommandLine, account); err != nil {
		t.Errorf("viewer of a team that exists, found whatever the case: %v", err)
	}
	if _, err := db.AddUser(t.Context(), models.CommandLine, account); !errors.As(err, &fields) || fields["email"] == "" {
		t.Errorf("the same email again: %v", err)
	}
}

// S3: a session or a password that ended while a proof was checked stays ended.
func TestProofThatCameTooLate(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	if err := db.SignIn(t.Context(), ana, models.Session{IDHash: []byte("x"), UserID: ana.UserID}, byPassword(ana, "-"), nil, []byte("b")); err != nil {
		t.Fatal(err)
	}
	session, _, err := db.Session(t.Context(), []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SetPassword(t.Context(), models.CommandLine, ana.Email, "new"); err != nil {
		t.Fatal(err)
	}
	session.IDHash = []byte("y")
	if err := db.Confirm(t.Context(), ana, session, []byte("x")); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("confirming an ended session: %v", err)
	}
	if err := db.SignIn(t.Context(), ana, models.Session{IDHash: []byte("z"), UserID: ana.UserID}, byPassword(ana, "-"), nil, []byte("b")); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("signing in with the password before: %v", err)
	}
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE users SET disabled_at = 1"); err != nil {
		t.Fatal(err)
	}
	if err := db.SignIn(t.Context(), ana, models.Session{IDHash: []byte("z"), UserID: ana.UserID}, byPassword(ana, "new"), nil, []byte("b")); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("signing in as a disabled user: %v", err)
	}
}

// T4: a session goes on without the team that was suspended, and may do nothing in it.
func TestSuspendedTeamsHaveNoMembers(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	if err := db.SignIn(t.Context(), ana, models.Session{IDHash: []byte("before"), UserID: ana.UserID}, byPassword(ana, "-"), nil, []byte("b")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Raw(t).ExecContext(t.Context(), "UPDATE teams SET suspended_at = 1"); err != nil {
		t.Fatal(err)
	}
	if err := db.SignIn(t.Context(), ana, models.Session{IDHash: []byte("x"), UserID: ana.UserID}, byPassword(ana, "-"), nil, []byte("b")); err != nil {
		t.Errorf("got %v", err)
	}
	for _, id := range []string{"before", "x"} {
		if _, actor, err := db.Session(t.Context(), []byte(id)); err != nil || actor.TeamID != "" || actor.TeamName != "" || actor.Role != "" || actor.UserID != ana.UserID {
			t.Errorf("%s acts as %+v, %v", id, actor, err)
		}
	}
}

// A deleted application's manual tokens keep their row and lose their value.
func TestDeletedApplicationKeepsWhatItsTokensWere(t *testing.T) { // T7
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	db.Token(t, ana, app, models.KindManual, "h")
	if _, err := db.DeleteApplication(t.Context(), ana, app.ID); err != nil {
		t.Fatal(err)
	}
	bearer, err := db.TokenByHash(t.Context(), []byte("h"))
	if reason, refused := bearer.Refused(db.Now()); err != nil || !refused || reason != models.RefusedDeleted || bearer.Sealed != nil {
		t.Errorf("%q %v %v, sealed %v", reason, refused, err, bearer.Sealed)
	}
}

func TestBuiltInApplicationsStay(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := builtIn(t, db, ana)
	for name, err := range map[string]error{
		"delete": func() error { _, err := db.DeleteApplication(t.Context(), ana, app.ID); return err }(),
		"change": db.ChangeApplication(t.Context(), ana, app.ID, models.ApplicationValues{Name: "Mine", Lifespan: 60}, 0),
		"secret": db.RotateSecret(t.Context(), ana, app.ID, store.Rotation{Secret: models.ClientSecret{ID: store.NewID()}}),
		"key":    db.AddClientKey(t.Context(), ana, app.ID, models.ClientKey{ID: store.NewID(), Name: "k"}, ""),
		"token": func() error {
			_, err := db.CreateManualToken(t.Context(), ana, models.Token{ID: store.NewID(), ApplicationID: app.ID, Kind: models.KindManual}, "")
			return err
		}(),
	} {
		if !errors.Is(err, models.ErrForbidden) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if again := builtIn(t, db, ana); again.Application != app.Application {
		t.Errorf("it was changed: %+v", again)
	}
}
