package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
	"github.com/latchkey/latchkey/store"
	"github.com/latchkey/latchkey/store/storetest"
)

func testWorld(t *testing.T, log *slog.Logger) world {
	t.Helper()
	w, _ := testWorldWith(t, log, func(*Config) {})
	return w
}

// testWorldWith is a world with other settings, and its database.
func testWorldWith(t *testing.T, log *slog.Logger, change func(*Config)) (world, *store.Store) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "latchkey.db")
	config := Config{
		BaseURL: "http://127.0.0.1:8080", Database: path, Keys: filepath.Join(dir, "keys.json"), TokenPrefix: "lk_at_",
		Limits: models.Limits{MaxLifespan: 3600, Scopes: []string{"api"}}, SessionIdle: time.Hour, SessionMax: time.Hour,
	}
	change(&config)
	config.address = models.NewSecret(config.Database)
	newData(t, config)
	db, keys, err := open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	room := newTokenRoom(context.WithoutCancel(t.Context()), config, db, db, keys, log)
	calls := newCallRoom(context.WithoutCancel(t.Context()), config, db, keys, room, &mail.Mailer{}, log)
	w := wire(config, db, keys, room, calls, &mail.Mailer{}, log)
	calls.counts.start(context.WithoutCancel(t.Context()), calls)
	t.Cleanup(func() {
		_ = errors.Join(calls.close(context.Background()), room.close(context.Background()), db.Close())
	})
	return w, db
}

// newData makes what a first start makes, without the time that migrating takes.
func newData(t *testing.T, config Config) {
	t.Helper()
	if _, err := os.Stat(config.Keys); err == nil || store.IsPostgres(config.Database) {
		return
	}
	if _, err := secrets.CreateKeys(config.Keys); err != nil {
		t.Fatal(err)
	}
	storetest.Put(t, config.Database)
}

// A6: a request that ran out of time still gets a whole error page.
func TestErrorPageAfterTheDeadline(t *testing.T) {
	w := testWorld(t, slog.New(slog.DiscardHandler))
	e := newEcho(w)
	for path, want := range map[string]string{"/login": "Latchkey cannot answer just now", "/oauth2/verify": "temporarily_unavailable"} {
		expired, cancel := context.WithTimeout(t.Context(), -time.Second)
		defer cancel()
		r := httptest.NewRequestWithContext(expired, http.MethodPost, path, strings.NewReader("email=a"))
		r.Header.Set("Authorization", "Bearer lk_at_x")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, r)
		if answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), want) {
			t.Errorf("%s: %d %q", path, answer.Code, answer.Body.String())
		}
	}
}

// A client that leaves is neither our error nor a success. One that was refused is
// told so, for it may have closed its half alone.
func TestClientThatLeft(t *testing.T) {
	w := testWorld(t, slog.New(slog.DiscardHandler))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for path, status := range map[string]int{"/login": statusClientLeft, "/oauth2/token": http.StatusUnauthorized, "/oauth2/verify": statusClientLeft} {
		var out strings.Builder
		var flush func()
		w.log, flush = newLog(Config{}, &out)
		answer := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(gone, http.MethodPost, path, strings.NewReader("grant_type=client_credentials&client_id=x&client_secret=y&email=a"))
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {"Bearer unknown"}}
		if path == "/oauth2/token" {
			r.Header.Del("Authorization")
		}
		newEcho(w).ServeHTTP(answer, r)
		flush()
		if line := out.String(); answer.Code != status || !strings.Contains(line, fmt.Sprint("status=", status)) || strings.Contains(line, "ERROR") {
			t.Errorf("%s: %d, logged %q", path, answer.Code, line)
		}
	}
}

// What goes wrong after the answer began cannot be told to the client any more, and
// is told to the operator.
func TestFailureAfterTheAnswerBegan(t *testing.T) {
	var out written // the rooms of the world log, too
	log, flush := newLog(Config{}, &out)
	e := newEcho(testWorld(t, log))
	e.GET("/late", func(c echo.Context) error {
		if err := c.String(http.StatusOK, "half"); err != nil {
			return err
		}
		panic("late")
	})
	answer := httptest.NewRecorder()
	e.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/late", nil))
	flush()
	if answer.Body.String() != "half" || strings.Count(out.String(), "level=ERROR msg=\"failed after the answer began\"") != 1 || !strings.Contains(out.String(), "panic of string") {
		t.Errorf("%q, logged %q", answer.Body.String(), out.String())
	}
}
