package tokens_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

const every = time.Second

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func token(id string, at models.Time) models.TokenUse {
	return models.TokenUse{TokenID: id, ApplicationID: "app", At: at, From: "192.0.2.7"}
}

func secret(id string, at models.Time) models.CredentialUse {
	return models.CredentialUse{Kind: models.CredentialSecret, ID: id, ApplicationID: "app", At: at}
}

func closeNow(t *testing.T, l *tokens.LastUsed) {
	t.Helper()
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func closeIssuer(t *testing.T, i *tokens.Issuer) {
	t.Helper()
	if err := i.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLastUsedIsWrittenInBatches(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		store := &fakeStore{}
		l := tokens.NewLastUsed(t.Context(), store, quiet(), every)
		for i := range 1000 {
			l.Token(token("t", noon+models.Time(i)))
			l.Token(token(fmt.Sprint(i%10), noon))
			l.Credential(secret("s", noon+models.Time(i)))
		}
		if tries, _ := store.saved(); tries != 0 {
			t.Errorf("%d writes before the interval", tries)
		}
		time.Sleep(every + time.Millisecond)
		if tries, rows := store.saved(); tries != 1 || rows != 12 {
			t.Errorf("%d writes of %d rows, want 1 of 12", tries, rows)
		}
		time.Sleep(10 * every)
		if tries, _ := store.saved(); tries != 1 {
			t.Errorf("%d writes where nothing was used", tries)
		}
		closeNow(t, l)
		if store.tokens["t"].At != noon+999 || store.secrets["s"].At != noon+999 || store.tokens["t"].From != "192.0.2.7" {
			t.Errorf("stored %v and %v", store.tokens["t"], store.secrets["s"])
		}
	})
}

func TestLastUsedNewestWins(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		store := &fakeStore{}
		l := tokens.NewLastUsed(t.Context(), store, quiet(), every)
		for _, at := range []models.Time{noon, noon + 5, noon + 2} {
			l.Token(token("t", at))
			l.Credential(secret("s", at))
		}
		closeNow(t, l)
		if store.tokens["t"].At != noon+5 || store.secrets["s"].At != noon+5 {
			t.Errorf("stored %v and %v", store.tokens["t"], store.secrets["s"])
		}
	})
}

func TestLastUsedKeepsWhatCannotBeWritten(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		store := &fakeStore{saveErrs: []error{models.ErrUnavailable}}
		var out bytes.Buffer
		l := tokens.NewLastUsed(t.Context(), store, slog.New(slog.NewTextHandler(&out, nil)), every)
		l.Token(token("old", noon))
		l.Token(token("again", noon))
		l.Credential(secret("s", noon))
		time.Sleep(every + time.Millisecond)
		if tries, rows := store.saved(); tries != 1 || rows != 0 {
			t.Fatalf("%d writes of %d rows", tries, rows)
		}
		l.Token(token("again", noon+7))
		time.Sleep(every)
		if tries, rows := store.saved(); tries != 2 || rows != 3 {
			t.Errorf("%d writes of %d rows, want 2 of 3", tries, rows)
		}
		closeNow(t, l)
		if store.tokens["old"].At != noon || store.tokens["again"].At != noon+7 || store.secrets["s"].At != noon {
			t.Errorf("stored %v and %v", store.tokens, store.secrets)
		}
		if !strings.Contains(out.String(), "level=WARN") || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("log: %s", out.String())
		}
	})
}

// An older time that comes back from a failed write does not replace a newer one.
func TestLastUsedFailedWriteDoesNotMoveBack(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		store := &fakeStore{hang: make(chan struct{}), saveErrs: []error{models.ErrBusy}}
		l := tokens.NewLastUsed(t.Context(), store, quiet(), every)
		l.Token(token("t", noon))
		time.Sleep(every + time.Millisecond) // the write hangs with noon
		l.Token(token("t", noon+9))
		close(store.hang)
		synctest.Wait()
		closeNow(t, l)
		if store.tokens["t"].At != noon+9 {
			t.Errorf("stored %v", store.tokens["t"])
		}
	})
}

// R3: what waits is bounded, and a database that is away does not slow requests.
func TestLastUsedIsBounded(t *testing.T) {
	onOneProcessor(t, func(t *testing.T) {
		store := &fakeStore{hang: make(chan struct{})}
		l := tokens.NewLastUsed(t.Context(), store, quiet(), every)
		l.Token(token("first", noon))
		time.Sleep(every + time.Millisecond) // from here on the write hangs
		for i := range 150_000 {
			l.Token(token(fmt.Sprint(i), noon))
			l.Credential(secret(fmt.Sprint(i), noon))
		}
		l.Token(token("0", noon+1)) // one that is known is still kept up
		close(store.hang)
		closeNow(t, l)
		if _, rows := store.saved(); rows != 1+100_000+100_000 {
			t.Errorf("%d rows were kept", rows)
		}
		if store.tokens["0"].At != noon+1 {
			t.Errorf("stored %v", store.tokens["0"])
		}
	})
}

// Many at once, while batches are written: nothing is lost, nothing races.
func TestLastUsedConcurrently(t *testing.T) {
	store := &fakeStore{saveErrs: []error{models.ErrBusy, models.ErrBusy}}
	l := tokens.NewLastUsed(t.Context(), store, quiet(), time.Millisecond)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 2000 {
				l.Token(token(fmt.Sprint(i%100), noon+models.Time(i)))
				l.Credential(secret(fmt.Sprint(worker), noon+models.Time(i)))
			}
		})
	}
	all.Wait()
	for tries, _ := store.saved(); tries < 2; tries, _ = store.saved() { // past the two that fail
		time.Sleep(time.Millisecond)
	}
	closeNow(t, l)
	if len(store.tokens) != 100 || len(store.secrets) != 8 {
		t.Errorf("%d tokens and %d secrets", len(store.tokens), len(store.secrets))
	}
	if store.tokens["99"].At != noon+1999 || store.secrets["3"].At != noon+1999 {
		t.Errorf("stored %v and %v", store.tokens["99"], store.secrets["3"])
	}
}
