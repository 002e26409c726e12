package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

// D7, D8: what a browser has begun is good once, for its kind, and not for ever.
func TestCeremoniesAreGoodOnce(t *testing.T) {
	db := storetest.New(t)
	begin := func(id string) {
		t.Helper()
		ceremony := models.Ceremony{IDHash: []byte(id), Kind: "test", UserID: "ana", Data: "{}"}
		if err := db.BeginCeremony(t.Context(), ceremony, 5*time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	begin("raced")
	if got, err := db.Ceremony(t.Context(), []byte("raced"), "test"); err != nil || got.UserID != "ana" || got.Data != "{}" {
		t.Errorf("read %+v, %v", got, err)
	}
	if _, err := db.FinishCeremony(t.Context(), []byte("raced"), "other"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("another kind: %v", err)
	}
	var won atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if _, err := db.FinishCeremony(t.Context(), []byte("raced"), "test"); err == nil {
				won.Add(1)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 50 got it", won.Load())
	}
	begin("late")
	db.Wait(5 * time.Minute)
	if _, err := db.FinishCeremony(t.Context(), []byte("late"), "test"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("after its time: %v", err)
	}
	if err := db.Sweep(t.Context(), time.Hour, time.Hour); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := db.Raw(t).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM ceremonies").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
}
