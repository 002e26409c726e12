package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/latchkey/latchkey/migrations"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/store/storetest/pgtest"
)

// slowCommit has the server take longer for the commit of a revocation than anybody waits,
// and not give it up when asked to, as with a disk that hangs.
const slowCommit = `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		WHILE clock_timestamp() < now() + interval '12 seconds' LOOP
			BEGIN
				PERFORM pg_sleep(0.2);
			EXCEPTION WHEN query_canceled THEN
				NULL;
			END;
		END LOOP;
		RETURN NULL;
	END $$;
	CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON tokens DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()`

// T6: a change whose end the process never learned is heard when it is committed after all:
// a cache that has read the token in between must forget it.
func TestCommitAfterItWasGivenUp(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t, migrations.Postgres(), storetest.Migrate)
	s, err := store.Open(address, func() models.Time { return storetest.Start })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db := &storetest.DB{Store: s, Path: address}
	db.Until(storetest.Start)
	heard := make(chan models.Notice, 100)
	db.Subscribe(func(n models.Notice) { heard <- n })
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	token := db.Token(t, ana, app, models.KindClientCredentials, "one")
	if _, err := db.Raw(t).ExecContext(t.Context(), slowCommit); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.RevokeToken(t.Context(), ana, app.ID, token.ID)
	if !errors.Is(err, models.ErrUnavailable) {
		t.Fatalf("got %v, want unavailable", err)
	}
	if got := refusal(t, db, "one"); got != "" {
		t.Fatalf("committed already: %s", got)
	}
	for len(heard) > 0 {
		<-heard
	}
	limit := time.After(30 * time.Second)
	for told := false; !told; {
		select {
		case n := <-heard:
			told = string(n.TokenHash) == "one"
		case <-limit:
			t.Fatal("heard nothing of the commit")
		}
	}
	if got := refusal(t, db, "one"); got != models.RefusedRevoked {
		t.Errorf("the token is %q", got)
	}
}
