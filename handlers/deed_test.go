package handlers_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

// S7: a deed that wants a fresh proof goes on where it was once that is given.
func TestADeedGoesOnAfterTheProof(t *testing.T) {
	s := newSite(t)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	app, _ := keyed(t, s, ana, "Bot")
	page := "/user/api_v2/applications/" + app.ID
	owner := s.signedIn(t, ana)
	s.db.Wait(15 * time.Minute)

	asked := owner.post(page + "/secret/reveal")
	asked.expect(t, http.StatusSeeOther)
	owner.post("/confirm", "password", password, "next", page, "deed", "another").expect(t, http.StatusSeeOther)
	s.db.Wait(15 * time.Minute)

	at, err := url.Parse(owner.post(page+"/delete", "confirm", "Bot").to())
	if err != nil || at.Path != "/confirm" {
		t.Fatalf("led to %v, %v", at, err)
	}
	deed, problem := owner.get(at.String()).field("deed")
	if deed == "" || problem != "" {
		t.Fatalf("the page names no deed")
	}
	// Whoever may no longer do it does not get to by waiting.
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE members SET role = 'viewer'"); err != nil {
		t.Fatal(err)
	}
	owner.post("/confirm", "password", password, "next", page, "deed", deed).expect(t, http.StatusForbidden)
	if _, err := s.db.Raw(t).ExecContext(t.Context(), "UPDATE members SET role = 'owner'"); err != nil {
		t.Fatal(err)
	}
	s.db.Wait(15 * time.Minute)
	at, _ = url.Parse(owner.post(page+"/delete", "confirm", "Bot").to())
	deed = at.Query().Get("deed")
	if got := owner.post("/confirm", "password", password, "next", page, "deed", deed); got.to() != "/user/api_v2/applications" {
		t.Fatalf("deleting went on to %s %q", got.Status, got.to())
	}
	owner.get("/user/api_v2/applications").expect(t, http.StatusOK, "Bot was deleted.")
	owner.get(page).expect(t, http.StatusNotFound)
	// It is done once.
	s.db.Wait(15 * time.Minute)
	if got := owner.post("/confirm", "password", password, "next", "/docs/authorization", "deed", deed); got.to() != "/docs/authorization" {
		t.Errorf("the deed went on twice: %s %q", got.Status, got.to())
	}
}
