package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

func TestRemoveKey(t *testing.T) {
	s, b, actor := owner(t)
	app, page := s.page(t, actor)
	public, _ := pair(t)
	b.post(page+"/keys", "name", "Laptop", "key", public).expect(t, http.StatusSeeOther)
	key := s.keysOf(t, app)[0]
	path := page + "/keys/" + key.ID + "/remove"
	asked := b.get(path)
	asked.expect(t, http.StatusOK, "Remove the key Laptop?", key.Thumbprint, "Last used Never",
		"Programs that sign with this key get no more tokens. Tokens they have go on until they expire or are revoked.")
	if strings.Contains(asked.text(), "no program will be able") {
		t.Error("the client secret was forgotten")
	}
	b.post(page+"/secret/remove").expect(t, http.StatusSeeOther)
	b.get(path).expect(t, http.StatusOK, "It is the last public key and there is no client secret: no program will be able to get a token then.")
	b.get(page+"/keys/"+app.ID+"/remove").expect(t, http.StatusNotFound)
	s.db.Wait(time.Hour) // a key that others have is removed without a new proof of identity
	if got := b.post(path); got.to() != page {
		t.Fatalf("%s to %q", got.Status, got.to())
	}
	b.get(page).expect(t, http.StatusOK, "The public key Laptop was removed.",
		"This application has no client secret and no public key, so no program can get a token.", "Add a public key first.")
	b.post(path).expect(t, http.StatusNotFound)
	if event := s.db.Events(t, actor.TeamID)[0]; event.Action != models.AuditKeyRemoved || !strings.Contains(event.Detail, "Laptop") || event.ActorID != actor.UserID {
		t.Errorf("recorded as %+v", event)
	}
}

// What a page shows without a secret, and the way there and back.
func TestRemoveSecretAndCreateItAgain(t *testing.T) {
	s, b, actor := owner(t)
	app, page := s.page(t, actor)
	if got := b.get(page + "/secret/remove"); got.to() != page {
		t.Errorf("without a key, asked all the same: %s to %q", got.Status, got.to())
	}
	b.post(page+"/secret/remove").expect(t, http.StatusSeeOther)
	b.get(page).expect(t, http.StatusOK, "Bot has no public key to go on with. Add one, then remove the secret.", "Rotate secret")
	public, _ := pair(t)
	b.post(page+"/keys", "name", "Laptop", "key", public).expect(t, http.StatusSeeOther)
	b.post(page+"/secret", "overlap", "3600").expect(t, http.StatusSeeOther)
	b.get(page+"/secret/remove").expect(t, http.StatusOK, "Remove the client secret?", "get 401 invalid_client from then on", "ends too.", "Public keys last used")
	for range 2 { // a second press changes nothing more
		b.post(page+"/secret/remove").expect(t, http.StatusSeeOther)
	}
	none := b.get(page)
	none.expect(t, http.StatusOK, "The client secret was removed. Programs that use it are refused.",
		"This application has no client secret. It proves itself by its public keys.", "Create client secret", "client_assertion=$ASSERTION", "exp is at most 5 minutes ahead")
	for _, not := range []string{"data-reveal", "client_secret", "Rotate secret", "Remove secret", "Copy also fills in"} {
		if body := strings.ReplaceAll(none.body, "/tokens/", ""); strings.Contains(body[strings.Index(body, "creds-title"):], not) {
			t.Errorf("the page without a secret holds %q", not)
		}
	}
	b.post(page+"/secret/reveal").expect(t, http.StatusNotFound)
	if got := b.get(page + "/secret/retire"); got.to() != page {
		t.Errorf("an old secret can be ended: %s", got.Status)
	}
	form := b.get(page + "/secret")
	form.expect(t, http.StatusOK, "Create client secret", "Its public keys go on as they are.")
	if strings.Contains(form.body, "overlap") || strings.Contains(form.body, "replaces") {
		t.Error("the form speaks of an old secret")
	}
	once, _ := form.field("once")
	for range 2 {
		b.post(page+"/secret", "once", once, "creates", "1").expect(t, http.StatusSeeOther)
	}
	b.get(page).expect(t, http.StatusOK, "The client secret was created.", "Rotate secret")
	b.post(page+"/secret/reveal").expect(t, http.StatusOK, "lk_cs_")
	var actions []models.AuditAction
	for _, event := range s.db.Events(t, actor.TeamID) {
		actions = append(actions, event.Action)
	}
	want := []models.AuditAction{models.AuditSecretShown, models.AuditSecretRotated, models.AuditSecretRemoved, models.AuditSecretRotated, models.AuditKeyAdded}
	if !slices.Equal(actions[:len(want)], want) {
		t.Errorf("recorded as %v", actions)
	}
	if detail, err := s.db.Store.Application(t.Context(), app.TeamID, app.ID); err != nil || len(detail.Secrets) != 1 {
		t.Errorf("%d secrets (%v)", len(detail.Secrets), err)
	}
}

// Nobody's secret is replaced or made by a page that shows how things were before.
func TestSecretChangedMeanwhile(t *testing.T) {
	s, ana, actor := owner(t)
	app, page := s.page(t, actor)
	jonas := s.signedIn(t, s.member(t, "northwind", "jonas", models.RoleDeveloper))
	public, _ := pair(t)
	ana.post(page+"/keys", "name", "Laptop", "key", public).expect(t, http.StatusSeeOther)
	seen, _ := ana.get(page + "/secret").field("replaces")
	jonas.post(page+"/secret/remove").expect(t, http.StatusSeeOther)
	late := ana.post(page+"/secret", "overlap", "0", "replaces", seen, "once", "a")
	late.expect(t, http.StatusConflict, "Create client secret", "The secret was removed while this page was open. Create a new one only if you mean to.")
	once, _ := late.field("once")
	jonas.post(page+"/secret", "creates", "1", "once", "b").expect(t, http.StatusSeeOther)
	late = ana.post(page+"/secret", "creates", "1", "once", once)
	late.expect(t, http.StatusConflict, "Rotate the client secret?", "A secret was created while this page was open. Rotate it only if you mean to.")
	if detail, err := s.db.Store.Application(t.Context(), app.TeamID, app.ID); err != nil || len(detail.Secrets) != 1 || detail.Secrets[0].CreatedBy == actor.UserID {
		t.Errorf("secrets %+v (%v)", detail.Secrets, err)
	}
}
