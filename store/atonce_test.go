package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

// rivals are a database with a team on two nodes.
type rivals struct {
	*storetest.DB
	other *store.Store
	ana   models.Actor
}

func newRivals(t *testing.T) rivals {
	t.Helper()
	db := storetest.New(t)
	other, err := store.Open(db.Path, db.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	return rivals{db, other, db.Member(t, "northwind", "ana", models.RoleOwner)}
}

// race tries something 50 times at once over both nodes and counts who succeeds. The others
// must get the answer of somebody who came late, and nobody an error of the database.
func (r rivals) race(t *testing.T, try func(s *store.Store, i int) error, late ...error) int {
	t.Helper()
	errs := make([]error, 50)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = try([]*store.Store{r.Store, r.other}[i%2], i) })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !isOneOf(err, late) {
			t.Errorf("somebody who came late: %v", err)
		}
	}
	return won
}

// isOneOf takes a list of fields for the error of any field.
func isOneOf(err error, wanted []error) bool {
	var fields models.FieldErrors
	for _, want := range wanted {
		var anyField models.FieldErrors
		if errors.Is(err, want) || errors.As(want, &anyField) && errors.As(err, &fields) {
			return true
		}
	}
	return false
}

var aField = models.FieldErrors{}

func aBot(name string) (models.Application, models.ClientSecret) {
	return models.Application{ID: store.NewID(), Type: models.TypeService, Name: name, ClientID: store.NewID(), Lifespan: 60, Scopes: "api"},
		models.ClientSecret{ID: store.NewID(), Hash: []byte("h"), Sealed: []byte("s")}
}

// D8: of 50 deeds at once on two nodes that exclude each other, one takes effect, and the
// others get the answer that they would have got a moment later.
func TestTwoNodesAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		deed func(t *testing.T, r rivals) func(s *store.Store, i int) error
		late error
	}{
		"a name": {func(t *testing.T, r rivals) func(*store.Store, int) error {
			t.Helper()
			return func(s *store.Store, _ int) error {
				app, secret := aBot("Same")
				_, err := s.CreateApplication(t.Context(), r.ana, app, secret, "")
				return err
			}
		}, aField},
		"an edit": {func(t *testing.T, r rivals) func(*store.Store, int) error {
			t.Helper()
			app := r.Application(t, r.ana, "Bot")
			return func(s *store.Store, i int) error {
				return s.ChangeApplication(t.Context(), r.ana, app.ID, models.ApplicationValues{Name: fmt.Sprint("Bot ", i), Lifespan: 60, Scopes: "api"}, 1)
			}
		}, models.ErrConflict},
		"an invitation, by a new account": {func(t *testing.T, r rivals) func(*store.Store, int) error {
			t.Helper()
			invite(t, r.DB, r.ana, "kim@example.com", models.RoleViewer, []byte("code"))
			return func(s *store.Store, _ int) error {
				_, err := s.AcceptInvitation(t.Context(), models.Actor{}, []byte("code"), store.Account{Name: "Kim", PasswordHash: "-"})
				return err
			}
		}, models.ErrNotFound},
		"an invitation, by an account that exists": {func(t *testing.T, r rivals) func(*store.Store, int) error {
			t.Helper()
			sam := r.Member(t, "fabrikam", "sam", models.RoleOwner)
			invite(t, r.DB, r.ana, sam.Email, models.RoleViewer, []byte("code"))
			mine := session(t, r.DB, sam, "mine")
			return func(s *store.Store, _ int) error {
				_, err := s.JoinTeam(t.Context(), sam, mine, []byte("code"))
				return err
			}
		}, models.ErrNotFound},
		"a ceremony": {func(t *testing.T, r rivals) func(*store.Store, int) error {
			t.Helper()
			if err := r.BeginCeremony(t.Context(), models.Ceremony{IDHash: []byte("id"), Kind: "test", UserID: r.ana.UserID, Data: "{}"}, time.Minute); err != nil {
				t.Fatal(err)
			}
			return func(s *store.Store, _ int) error {
				_, err := s.FinishCeremony(t.Context(), []byte("id"), "test")
				return err
			}
		}, models.ErrNotFound},
		"a ticket": {func(t *testing.T, r rivals) func(*store.Store, int) error {
			t.Helper()
			if err := r.SaveTicket(t.Context(), models.Ticket{Hash: []byte("ticket"), TokenHash: []byte("token"), TeamID: r.ana.TeamID, ExpiresAt: r.Now().Add(time.Minute)}); err != nil {
				t.Fatal(err)
			}
			return func(s *store.Store, _ int) error {
				_, err := s.UseTicket(t.Context(), []byte("ticket"), "/v1")
				return err
			}
		}, models.ErrNotFound},
		"an assertion": {func(t *testing.T, r rivals) func(*store.Store, int) error {
			t.Helper()
			app := r.Application(t, r.ana, "Bot")
			return func(s *store.Store, _ int) error {
				return s.UseAssertion(t.Context(), app.ID, []byte("jti"), r.Now().Add(time.Minute))
			}
		}, models.ErrConflict},
		"a recovery code": {func(t *testing.T, r rivals) func(*store.Store, int) error {
			t.Helper()
			addApp(t, r.DB, r.ana, "hash of 0", "hash of 1")
			user, err := r.User(t.Context(), r.ana.UserID)
			if err != nil {
				t.Fatal(err)
			}
			return func(s *store.Store, _ int) error {
				left, err := s.UseRecoveryCode(t.Context(), r.ana, user, 1, "hash of 1")
				if err == nil && left != 1 {
					t.Errorf("%d codes are left", left)
				}
				return err
			}
		}, models.ErrNotFound},
		"an address, by signing up": {func(t *testing.T, _ rivals) func(*store.Store, int) error {
			t.Helper()
			return func(s *store.Store, i int) error {
				_, err := s.SignUp(t.Context(), models.Actor{}, store.Account{Name: "Eve", Email: "eve@example.com", PasswordHash: "-", Team: fmt.Sprint("Team ", i)})
				return err
			}
		}, aField},
		"the name of a plan": {func(t *testing.T, _ rivals) func(*store.Store, int) error {
			t.Helper()
			return func(s *store.Store, i int) error {
				return s.AddPlan(t.Context(), models.CommandLine, models.Plan{Name: "Pro", NameKey: models.FoldName("Pro"), Points: int64(i), IsDefault: i%2 == 0})
			}
		}, aField},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRivals(t)
			if won := r.race(t, test.deed(t, r), test.late); won != 1 {
				t.Errorf("%d of 50 had it", won)
			}
			wantWhole(t, r.DB, r.ana.TeamID)
			wantWhole(t, r.DB, "")
		})
	}
}

// D8: so it is where everybody gets an answer, and the same one.
func TestTwoNodesDoOneThingOnce(t *testing.T) {
	for name, test := range map[string]struct {
		deed func(t *testing.T, r rivals) func(s *store.Store) (any, error)
		// counted is one once it is done.
		counted string
	}{
		"a form": {func(t *testing.T, r rivals) func(*store.Store) (any, error) {
			t.Helper()
			return func(s *store.Store) (any, error) {
				app, secret := aBot("Bot")
				return s.CreateApplication(t.Context(), r.ana, app, secret, "form")
			}
		}, "SELECT COUNT(*) FROM applications WHERE name = 'Bot'"},
		"a temporary token": {func(t *testing.T, r rivals) func(*store.Store) (any, error) {
			t.Helper()
			return func(s *store.Store) (any, error) {
				token, err := s.CreateTemporaryToken(t.Context(), r.ana, models.Token{ID: store.NewID(), Hash: []byte(store.NewID()), Last4: "nB2e", Scopes: "api", Sealed: []byte("s"), ExpiresAt: r.Now().Add(time.Hour)})
				return token.ID, err
			}
		}, "SELECT COUNT(*) FROM tokens WHERE kind = 'temporary'"},
		"a purchase": {func(t *testing.T, r rivals) func(*store.Store) (any, error) {
			t.Helper()
			return func(s *store.Store) (any, error) {
				receipt, err := s.AddPoints(t.Context(), models.Shop, models.PointsChange{TeamID: r.ana.TeamID, Points: 100, Reference: "INV-1"}, "")
				return receipt.Balance, err
			}
		}, "SELECT COUNT(*) FROM ledger_entries WHERE points = 100"},
		"the end of a period": {func(t *testing.T, r rivals) func(*store.Store) (any, error) {
			t.Helper()
			give(t, r.DB, r.ana.TeamID, plan(t, r.DB, models.Plan{Name: "Pro", Points: 100, PeriodDays: 1}), 0)
			r.Wait(25 * time.Hour)
			return func(s *store.Store) (any, error) {
				st, err := s.Standing(t.Context(), r.ana.TeamID)
				return st.Balance, err
			}
		}, "SELECT COUNT(*) - 1 FROM ledger_entries WHERE kind = 'plan'"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRivals(t)
			deed := test.deed(t, r)
			var mu sync.Mutex
			answers := map[any]int{}
			r.race(t, func(s *store.Store, _ int) error {
				answer, err := deed(s)
				mu.Lock()
				defer mu.Unlock()
				answers[answer]++
				return err
			})
			if len(answers) != 1 || r.Number(t, test.counted) != 1 {
				t.Errorf("it was done %d times, the answers were %v", r.Number(t, test.counted), answers)
			}
			wantWhole(t, r.DB, r.ana.TeamID)
			wantBooks(t, r.DB, r.ana.TeamID)
		})
	}
}

// D8: the last point is one node's.
func TestTwoNodesLeaseTheLastPoints(t *testing.T) {
	r := newRivals(t)
	if _, err := r.AddPoints(t.Context(), models.Shop, models.PointsChange{TeamID: r.ana.TeamID, Points: 7}, ""); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	sum := int64(0)
	r.race(t, func(s *store.Store, i int) error {
		lease, err := s.LeasePoints(t.Context(), fmt.Sprint("node ", i), r.ana.TeamID, 2)
		mu.Lock()
		defer mu.Unlock()
		sum += lease.Points
		return err
	})
	if sum != 7 {
		t.Errorf("%d of 7 points are leased", sum)
	}
}

// S13, D8: an owner stays in a team, and an operator in the installation, whichever nodes
// the others are asked to take them away.
func TestTwoNodesLeaveTheLastOne(t *testing.T) {
	r := newRivals(t)
	all := []models.Actor{operator(t, r.DB, r.ana)}
	for i := range 4 {
		all = append(all, operator(t, r.DB, r.Member(t, "northwind", fmt.Sprint("owner", i), models.RoleOwner)))
	}
	for what, test := range map[string]struct {
		take func(s *store.Store, by, from models.Actor) error
		left string
	}{
		"owner": {func(s *store.Store, by, from models.Actor) error {
			_, err := s.ChangeRole(t.Context(), by, from.UserID, models.RoleViewer)
			return err
		}, "SELECT COUNT(*) FROM members WHERE role = 'owner'"},
		"operator": {func(s *store.Store, by, from models.Actor) error {
			return s.UnmakeOperator(t.Context(), by, from.UserID)
		},
			"SELECT COUNT(*) FROM users WHERE operator"},
	} {
		r.race(t, func(s *store.Store, i int) error { return test.take(s, all[i%5], all[(i+1+i/5%4)%5]) },
			aField, models.ErrConflict, models.ErrNotFound, models.ErrForbidden)
		if n := r.Number(t, test.left); n != 1 {
			t.Errorf("%s: %d are left", what, n)
		}
	}
	wantWhole(t, r.DB, r.ana.TeamID)
	wantWhole(t, r.DB, "")
}

// D8: the installation is set up once, on whichever node.
func TestTwoNodesAreSetUpOnce(t *testing.T) {
	db := storetest.New(t)
	other, err := store.Open(db.Path, db.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	won := rivals{DB: db, other: other}.race(t, func(s *store.Store, i int) error {
		_, err := s.Setup(t.Context(), models.Actor{}, store.Account{Name: "Ana", Email: fmt.Sprintf("ana%d@example.com", i), PasswordHash: "-", Team: "Northwind"})
		return err
	}, models.ErrNotFound)
	if won != 1 || db.Number(t, "SELECT COUNT(*) FROM users") != 1 {
		t.Errorf("%d of 50 set it up", won)
	}
}
