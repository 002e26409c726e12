package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/latchkey/latchkey/handlers"
	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/tokens"
)

const apps = "/user/api_v2/applications"

// owner is a site with a signed-in owner.
func owner(t *testing.T, change ...func(*handlers.Deps)) (*site, *browser, models.Actor) {
	t.Helper()
	s := newSite(t, change...)
	ana := s.member(t, "northwind", "ana", models.RoleOwner)
	return s, s.signedIn(t, ana), ana
}

func TestNewApplicationBadInput(t *testing.T) { // D5, D6
	s, b, ana := owner(t)
	s.application(t, ana, "Trading bot")
	long := strings.Repeat("x", 10_000)
	for _, test := range []struct{ name, lifespan, field, problem string }{
		{"", "3600", "name", "Enter a name."},
		{" \t ", "3600", "name", "Enter a name."},
		{"\u200b\u200d", "3600", "name", "Enter a name."},
		{strings.Repeat("é", 65), "3600", "name", "Use at most 64 characters."},
		{long, "3600", "name", "Use at most 64 characters."},
		{"nul\x00byte", "3600", "name", "Leave out control and text-direction characters."},
		{"abc\u202edcba", "3600", "name", "Leave out control and text-direction characters."},
		{"bad\xff", "3600", "name", "Use plain text: this holds bytes that are not characters."},
		{"TRADING BOT", "3600", "name", "Your team already has an application called Trading bot. Choose another name."},
		{"A", "", "lifespan", "Choose how long a token works."},
		{"A", "0", "lifespan", "Choose between 1 minute and 1 year."},
		{"A", "59", "lifespan", "Choose between 1 minute and 1 year."},
		{"A", "-3600", "lifespan", "Choose between 1 minute and 1 year."},
		{"A", "31536001", "lifespan", "Choose between 1 minute and 1 year."},
		{"A", "99999999999999999999", "lifespan", "Choose between 1 minute and 1 year."},
		{"A", "1e9", "lifespan", "Enter a whole number."},
		{"A", "an hour", "lifespan", "Enter a whole number."},
		{"A", "3600.5", "lifespan", "Enter a whole number."},
	} {
		got := b.post(apps, "name", test.name, "lifespan", test.lifespan)
		got.expect(t, http.StatusUnprocessableEntity, "New application")
		value, problem := got.field(test.field)
		if problem != test.problem {
			t.Errorf("%.20q, %q: %q beside %s", test.name, test.lifespan, problem, test.field)
		}
		shown := utf8.ValidString(test.name) && !strings.Contains(test.name, "\x00") // HTML has neither
		if shown && test.field == "name" && value != test.name {
			t.Errorf("typed %q, shown again %q", test.name, value)
		}
	}
	if list, _ := s.db.Applications(t.Context(), ana.TeamID, models.ApplicationQuery{}); list.Total != 2 {
		t.Errorf("%d applications, want the one and that which is built in", list.Total)
	}
}

func TestNewApplicationOddNamesAreShownAsText(t *testing.T) { // P1
	_, b, _ := owner(t)
	for _, name := range []string{`"><svg onload=alert(1)>`, "<script>alert(1)</script>", "שלום", strings.Repeat("🔑", 64), `O'Neil "the & co"`, "👩‍👩‍👧‍👦 family", "{{7*7}} %s"} {
		got := b.post(apps, "name", "  "+name+" ", "lifespan", "60")
		if got.StatusCode != http.StatusSeeOther {
			t.Fatalf("%q: %s %s", name, got.Status, got.text())
		}
		page := b.get(got.to())
		page.expect(t, http.StatusOK, name, name+" was created.")
		for _, raw := range []string{"<svg onload", "<script>alert"} {
			if strings.Contains(page.body, raw) {
				t.Errorf("%q reached the page as markup", name)
			}
		}
		b.get(apps+"?q="+strings.NewReplacer("%", "%25", "&", "%26", "#", "%23", "+", "%2B", ";", "%3B", " ", "%20", `"`, "%22", "<", "%3C", ">", "%3E").Replace(name)).expect(t, http.StatusOK, name)
	}
}

func TestCustomLifespan(t *testing.T) {
	s, b, ana := owner(t)
	for _, test := range []struct {
		custom, unit string
		seconds      int64
	}{{"90", "60", 5400}, {"36", "3600", 129600}, {"365", "86400", 31536000}, {"366", "86400", 0}, {"", "60", 0}, {"9223372036854775807", "86400", 0}, {"-5", "60", 0}, {"5", "0", 0}, {"x", "60", 0}} {
		got := b.post(apps, "name", "App "+test.custom, "lifespan", "custom", "custom", test.custom, "unit", test.unit)
		if test.seconds == 0 {
			got.expect(t, http.StatusUnprocessableEntity)
			continue
		}
		if got.StatusCode != http.StatusSeeOther {
			t.Errorf("%s × %s: %s", test.custom, test.unit, got.text())
			continue
		}
		app, err := s.db.Store.Application(t.Context(), ana.TeamID, strings.TrimPrefix(got.to(), apps+"/"))
		if err != nil || app.Lifespan != test.seconds {
			t.Errorf("%s × %s gave %d seconds (%v)", test.custom, test.unit, app.Lifespan, err)
		}
	}
}

// What was posted under the contract's own field comes back, as Custom, with the
// errors of all fields at once.
func TestLifespanOutsideThePresetsComesBack(t *testing.T) {
	s, b, actor := owner(t)
	s.application(t, actor, "Trading bot")
	for lifespan, want := range map[string]string{"90000": "25", "59": "59", "soon": "soon"} {
		got := b.post(apps, "name", "", "lifespan", lifespan)
		got.expect(t, http.StatusUnprocessableEntity, "Enter a name.")
		if value, _ := got.field("custom"); value != want {
			t.Errorf("%s seconds come back as %q", lifespan, value)
		}
	}
	b.post(apps, "name", "trading bot", "lifespan", "59").expect(t, http.StatusUnprocessableEntity,
		"Your team already has an application called Trading bot.", "Choose between 1 minute and 1 year.")
}

// Revoking and deleting lead back to the list as it was searched.
func TestDeedsKeepTheSearch(t *testing.T) {
	s, b, actor := owner(t)
	app, _ := s.application(t, actor, "Bot")
	from := http.Header{"Referer": {s.URL + apps + "?q=bo&page=1"}}
	for _, path := range []string{"/revoke", "/delete"} {
		if got := b.do(http.MethodPost, apps+"/"+app.ID+path, values("confirm", "Bot"), from); got.to() != apps+"?q=bo&page=1" {
			t.Errorf("%s leads to %q", path, got.to())
		}
	}
}

// A form that is posted twice takes effect once, and both answers lead to it.
func TestFormsPostedTwice(t *testing.T) {
	s, b, ana := owner(t)
	once, _ := b.get(apps + "/new").field("once")
	if len(once) != 36 {
		t.Fatalf("the form has no key: %q", once)
	}
	first := b.post(apps, "name", "Bot", "lifespan", "3600", "once", once)
	second := b.post(apps, "name", "Bot", "lifespan", "3600", "once", once)
	if first.StatusCode != http.StatusSeeOther || second.StatusCode != http.StatusSeeOther || first.to() != second.to() {
		t.Fatalf("first to %q, second %s to %q", first.to(), second.Status, second.to())
	}
	page := first.to()
	id := strings.TrimPrefix(page, apps+"/")
	once, _ = b.get(page + "/tokens").field("once")
	b.post(page+"/tokens", "once", once)
	b.post(page+"/tokens", "once", once)
	once, _ = b.get(page + "/secret").field("once")
	b.post(page+"/secret", "once", once, "overlap", "3600")
	b.post(page+"/secret", "once", once, "overlap", "3600")
	app, err := s.db.Store.Application(t.Context(), ana.TeamID, id)
	if err != nil || app.ActiveTokens != 1 || len(app.Secrets) != 2 {
		t.Errorf("%d tokens and %d secrets (%v)", app.ActiveTokens, len(app.Secrets), err)
	}
	// The other way round: deeds done twice say so and do no harm.
	b.post(page+"/revoke").expect(t, http.StatusSeeOther)
	b.post(page+"/revoke").expect(t, http.StatusSeeOther)
	b.get(apps).expect(t, http.StatusOK, "Bot had no active tokens.")
	b.post(page+"/delete", "confirm", "Bot").expect(t, http.StatusSeeOther)
	b.post(page+"/delete", "confirm", "Bot").expect(t, http.StatusNotFound)
}

func TestTwoPeopleEditing(t *testing.T) {
	s, ana, actor := owner(t)
	jonas := s.signedIn(t, s.member(t, "northwind", "jonas", models.RoleDeveloper))
	app, _ := s.application(t, actor, "Bot")
	page := apps + "/" + app.ID
	seen, _ := ana.get(page + "/edit").field("version")
	jonas.post(page, "name", "Jonas' bot", "lifespan", "7200", "version", seen).expect(t, http.StatusSeeOther)
	got := ana.post(page, "name", "Ana's bot", "lifespan", "3600", "version", seen)
	got.expect(t, http.StatusConflict, "jonas", "Jonas' bot")
	if value, _ := got.field("name"); value != "Ana's bot" {
		t.Errorf("what was typed is lost: %q", value)
	}
	version, _ := got.field("version")
	if version == seen {
		t.Fatal("the form would be stale again")
	}
	ana.post(page, "name", "Ana's bot", "lifespan", "3600", "version", version).expect(t, http.StatusSeeOther)
	ana.get(page).expect(t, http.StatusOK, "Ana's bot", "1 hour")
	// The contract's form has no version: it is taken.
	ana.post(page, "name", "Plain", "lifespan", "60").expect(t, http.StatusSeeOther)
	other, _ := s.application(t, actor, "Taken")
	clash := ana.post(apps+"/"+other.ID, "name", "PLAIN", "lifespan", "60")
	clash.expect(t, http.StatusUnprocessableEntity, "Your team already has an application called Plain.")
}

// A form that comes back with an error is as old as it was.
func TestBadInputDoesNotHideAConflict(t *testing.T) {
	s, ana, actor := owner(t)
	app, _ := s.application(t, actor, "Bot")
	page := apps + "/" + app.ID
	seen, _ := ana.get(page + "/edit").field("version")
	ana.post(page, "name", "Changed meanwhile", "lifespan", "3600").expect(t, http.StatusSeeOther)
	again, _ := ana.post(page, "name", "", "lifespan", "3600", "version", seen).field("version")
	ana.post(page, "name", "Mine", "lifespan", "3600", "version", again).expect(t, http.StatusConflict, "Changed meanwhile")
}

// Two people who rotate at once do not end a secret that was promised to go on.
func TestTwoPeopleRotating(t *testing.T) {
	s, ana, actor := owner(t)
	app, _ := s.application(t, actor, "Bot")
	page := apps + "/" + app.ID + "/secret"
	seen, _ := ana.get(page).field("replaces")
	ana.post(page, "overlap", "86400", "replaces", seen).expect(t, http.StatusSeeOther)
	late := ana.post(page, "overlap", "3600", "replaces", seen)
	late.expect(t, http.StatusConflict, "The secret was rotated while this page was open.")
	if detail, err := s.db.Store.Application(t.Context(), actor.TeamID, app.ID); err != nil || len(detail.Secrets) != 2 || detail.Secrets[1].ExpiresAt.Sub(s.db.Now()) != 24*time.Hour {
		t.Errorf("secrets %+v %v", detail.Secrets, err)
	}
	seen, _ = late.field("replaces")
	ana.post(page, "overlap", "3600", "replaces", seen).expect(t, http.StatusSeeOther)
}

func TestScopesStayWhereTheFormDoesNotOfferThem(t *testing.T) {
	s, ana, actor := owner(t, func(deps *handlers.Deps) { deps.Limits.Scopes = []string{"api", "reports"} })
	got := ana.post(apps, "name", "Bot", "lifespan", "3600", "scopes", "api", "scopes", "reports")
	page := got.to()
	scopes := func() string {
		app, err := s.db.Store.Application(t.Context(), actor.TeamID, strings.TrimPrefix(page, apps+"/"))
		if err != nil {
			t.Fatal(err)
		}
		return app.Scopes
	}
	ana.post(page, "name", "Renamed", "lifespan", "3600").expect(t, http.StatusSeeOther)
	if scopes() != "api reports" {
		t.Errorf("the fields of the contract left %q", scopes())
	}
	ana.get(page+"/edit").expect(t, http.StatusOK, "reports")
	ana.post(page, "name", "Renamed", "lifespan", "3600", "scopes_shown", "1", "scopes", "reports").expect(t, http.StatusSeeOther)
	if scopes() != "reports" {
		t.Errorf("the form left %q", scopes())
	}
	ana.post(page, "name", "Renamed", "lifespan", "3600", "scopes_shown", "1", "scopes", "admin").expect(t, http.StatusUnprocessableEntity, "Choose from the scopes shown.")
}

// A key that comes again with another content is another deed.
func TestFormChangedAfterStop(t *testing.T) {
	_, b, _ := owner(t)
	b.post(apps, "name", "One", "lifespan", "3600", "once", "k").expect(t, http.StatusSeeOther)
	b.post(apps, "name", "Two", "lifespan", "3600", "once", "k").expect(t, http.StatusSeeOther)
	b.get(apps).expect(t, http.StatusOK, "One", "Two")
}

func TestOperatorsLimitAppliesToOldApplications(t *testing.T) { // T5
	s, b, actor := owner(t, func(deps *handlers.Deps) {
		deps.Limits.MaxLifespan = 600
		deps.Issuer = tokens.NewIssuer(t.Context(), deps.Store, deps.Keys, "lk_at_", 600, func() models.Time { return models.At(deps.Now()) })
	})
	app, _ := s.application(t, actor, "Made for 5 hours")
	b.post(apps+"/"+app.ID+"/tokens", "name", "late").expect(t, http.StatusSeeOther)
	list, err := s.db.ManualTokens(t.Context(), actor.TeamID, app.ID, models.TokenQuery{})
	if err != nil || list.Rows[0].ExpiresAt.Sub(list.Rows[0].CreatedAt) != 10*time.Minute {
		t.Errorf("%+v %v", list.Rows, err)
	}
	b.post(apps+"/"+app.ID+"/tokens", "lifespan", "601").expect(t, http.StatusUnprocessableEntity, "Choose between 1 minute and 10 minutes.")
}

// A message waits for a page that shows it.
func TestMessagesAreNotEaten(t *testing.T) {
	_, b, _ := owner(t)
	page := b.post(apps, "name", "Bot", "lifespan", "3600").to()
	b.do(http.MethodHead, page, nil, nil)
	b.get(page + "/edit")
	b.get(page+"/delete").expect(t, http.StatusOK)
	b.get(page).expect(t, http.StatusOK, "Bot was created.")
}

// A script with a fresh session cannot read every value at once.
func TestRevealsAreLimited(t *testing.T) {
	s, b, actor := owner(t)
	app, token := s.application(t, actor, "Bot")
	path := apps + "/" + app.ID + "/tokens/" + token + "/reveal"
	for range 60 {
		b.post(path).expect(t, http.StatusOK)
	}
	got := b.post(path)
	got.expect(t, http.StatusTooManyRequests, "Too many requests")
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.db.Wait(time.Minute)
	b.post(path).expect(t, http.StatusOK)
}

func TestDeleteWantsTheName(t *testing.T) {
	s, b, actor := owner(t)
	app, token := s.application(t, actor, "Trading bot")
	page := apps + "/" + app.ID + "/delete"
	b.get(page).expect(t, http.StatusOK, "Delete Trading bot?", "Its 1 active token stops working at once.")
	for _, wrong := range []string{"", "trading bot", "Trading  bot"} {
		b.post(page, "confirm", wrong).expect(t, http.StatusUnprocessableEntity, "That is not the name. Type Trading bot exactly.")
	}
	assertGood(t, s, app, token)
	b.post(page, "confirm", " Trading bot ").expect(t, http.StatusSeeOther)
	b.get(apps).expect(t, http.StatusOK, "Trading bot was deleted.", "No applications yet")
	got := b.get(apps)
	if strings.Contains(got.text(), "was deleted") {
		t.Error("the message stays")
	}
	b.get(apps+"/"+app.ID).expect(t, http.StatusNotFound)
}

func TestTokensFromBothPages(t *testing.T) {
	s, b, actor := owner(t)
	app, _ := s.application(t, actor, "Bot")
	page, tokensPage := apps+"/"+app.ID, "/user/api_v2/access_tokens?application="+app.ID
	for _, test := range []struct {
		header http.Header
		from   string
		want   string
	}{
		{nil, "", page},
		{nil, "tokens", tokensPage},
		{http.Header{"Referer": {s.URL + tokensPage}}, "", tokensPage},
		{http.Header{"Referer": {s.URL + page}}, "", page},
	} {
		got := b.do(http.MethodPost, page+"/tokens", values("name", "laptop", "from", test.from), test.header)
		if got.to() != test.want {
			t.Errorf("from %q (%v) back to %q", test.from, test.header, got.to())
		}
	}
	b.get(tokensPage).expect(t, http.StatusOK, "Tokens", "Bot", "laptop", "Active")
	for _, bad := range [][2]string{{"18001", "Choose between 1 minute and 5 hours."}, {"59", "Choose between"}, {"x", "Enter a whole number."}, {"custom", "Enter a whole number."}} {
		b.post(page+"/tokens", "lifespan", bad[0]).expect(t, http.StatusUnprocessableEntity, bad[1])
	}
	b.post(page+"/tokens", "name", strings.Repeat("n", 65)).expect(t, http.StatusUnprocessableEntity, "Use at most 64 characters.")
	b.post(page+"/tokens", "name", "short", "lifespan", "60").expect(t, http.StatusSeeOther)
	s.db.Wait(61 * time.Second)
	b.get(page+"?ended=1").expect(t, http.StatusOK, "short", "Expired")
	if got := b.get(page); strings.Contains(got.text(), "Expired") {
		t.Error("expired tokens stand before the filter")
	}
}

// P11: values are in no page until asked for, and the event is stored before.
func TestRevealIsAuditedAndNotInPages(t *testing.T) {
	s, b, actor := owner(t)
	app, token := s.application(t, actor, "Bot")
	page := apps + "/" + app.ID
	json := b.do(http.MethodPost, page+"/tokens/"+token+"/reveal", values(), http.Header{"Accept": {"application/json"}})
	json.expect(t, http.StatusOK, `{"value":"lk_at_`)
	if json.Header.Get("Cache-Control") != "no-store" {
		t.Error("the answer may be stored")
	}
	secret := b.post(page + "/secret/reveal")
	secret.expect(t, http.StatusOK, "lk_cs_")
	events := s.db.Events(t, actor.TeamID)
	if events[0].Action != models.AuditSecretShown || events[1].Action != models.AuditTokenShown || events[1].ActorID != actor.UserID || events[1].Address == "" || events[1].RequestID == "" {
		t.Errorf("events %+v", events)
	}
	for _, path := range []string{apps, page, page + "?ended=1", "/user/api_v2/access_tokens?application=" + app.ID} {
		for _, value := range []string{"lk_at_", "lk_cs_"} {
			if strings.Contains(b.get(path).body, value) {
				t.Errorf("%s holds a value", path)
			}
		}
	}
	b.post(page+"/tokens/"+token+"/revoke").expect(t, http.StatusSeeOther)
	b.post(page+"/tokens/"+token+"/reveal").expect(t, http.StatusNotFound)
}

// A4, D7: where the event cannot be stored, no value leaves.
func TestNoValueWithoutItsEvent(t *testing.T) {
	s, b, actor := owner(t)
	app, token := s.application(t, actor, "Bot")
	s.db.Fail(t, "INSERT", "audit_events", "")
	for _, path := range []string{"/tokens/" + token + "/reveal", "/secret/reveal"} {
		got := b.post(apps + "/" + app.ID + path)
		got.expect(t, http.StatusInternalServerError, "Something went wrong", "Request ID", got.Header.Get("X-Request-Id"))
		if strings.Contains(got.body, "lk_") || strings.Contains(got.body, "fault") {
			t.Error("the value or the cause left")
		}
	}
}
