package store

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// Pages leave the log beside the writer, who neither does it nor takes it for a
// change of somebody else (T6). A full log starts anew, though commits go on (R1).
func TestCheckpointsBesideTheWriter(t *testing.T) {
	s, actor := migrated(t)
	app := models.Application{ID: NewID(), Type: models.TypeService, Name: "Bot", ClientID: NewID(), Lifespan: 60, Scopes: "api"}
	if _, err := s.CreateApplication(t.Context(), actor, app, models.ClientSecret{ID: NewID(), Hash: []byte("h"), Sealed: []byte("s")}, ""); err != nil {
		t.Fatal(err)
	}
	version, err := s.ForeignVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var log writeAheadLog
	for deadline, most, began := time.Now().Add(time.Minute), 0, false; !began || log.Checkpointed == 0; {
		if time.Now().After(deadline) {
			t.Fatalf("nothing was moved, or the log does not start anew: %+v", log)
		}
		most, began = max(most, log.Log), began || log.Log < most
		tokens := make([]models.Token, 500)
		for i := range tokens {
			hash := make([]byte, 32)
			_, _ = rand.Read(hash)
			tokens[i] = models.Token{
				ID: NewID(), ApplicationID: app.ID, TeamID: actor.TeamID, Kind: models.KindClientCredentials,
				Hash: hash, Last4: "Zk3Q", Scopes: "api", CreatedAt: 1000, ExpiresAt: 61_000,
			}
		}
		if err := s.InsertTokens(t.Context(), tokens); err != nil {
			t.Fatal(err)
		}
		if err := s.reads.Raw("PRAGMA wal_checkpoint(NOOP)").Scan(&log).Error; err != nil {
			t.Fatal(err)
		}
		if log.Log >= longestLog {
			t.Fatalf("the log has grown to where the writer empties it: %+v", log)
		}
	}
	if after, err := s.ForeignVersion(t.Context()); err != nil || after != version {
		t.Errorf("version %d, before %d, %v", after, version, err)
	}
}

// A6: a log that cannot be emptied says so, while what is written to it is taken.
func TestLogThatIsKeptIsTold(t *testing.T) {
	s, actor := migrated(t)
	told := make(chan error, 1)
	s.OnLogKept(func(err error) {
		select {
		case told <- err:
		default:
		}
	})
	file, ok := s.engine.(*sqliteEngine)
	if !ok {
		t.Fatalf("the engine is %T", s.engine)
	}
	if err := closeHandle(file.checkpoints.db); err != nil {
		t.Fatal(err)
	}
	if err := s.try(t.Context(), actor, 1); err != nil {
		t.Error(err)
	}
	if err := <-told; !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("told %v", err)
	}
}
