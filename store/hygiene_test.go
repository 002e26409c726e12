package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
)

func findingsOf(t *testing.T, db *storetest.DB, team string) []string {
	t.Helper()
	list, err := db.Hygiene(t.Context(), team, 1)
	if err != nil || list.Total != int64(len(list.Rows)) {
		t.Fatal(list, err)
	}
	var found []string
	for _, f := range list.Rows {
		found = append(found, f.ApplicationName+" "+string(f.Reason))
	}
	return found
}

func TestHygieneFindsEachReason(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	jonas := db.Member(t, "northwind", "jonas", models.RoleDeveloper)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	unused, used, orphan, off := db.Application(t, ana, "Unused"), db.Application(t, ana, "Used"), db.Application(t, jonas, "Orphan"), db.Application(t, ana, "Off")
	db.Application(t, eve, "Foreign")
	use := func(apps ...models.Application) {
		for _, app := range apps {
			exec(t, db, "UPDATE applications SET last_used_at = ? WHERE id = ?", int64(db.Now()), app.ID)
		}
	}
	if err := db.SwitchApplication(t.Context(), ana, off.ID, false); err != nil {
		t.Fatal(err)
	}
	wants := func(when string, want ...string) {
		t.Helper()
		if got := findingsOf(t, db, ana.TeamID); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	use(used, orphan)
	wants("at first")
	db.Wait(models.NeverUsedAfter + time.Millisecond)
	wants("after a week", "Unused never_used")
	exec(t, db, "DELETE FROM members WHERE user_id = ?", jonas.UserID)
	wants("maker gone", "Orphan maker_gone", "Unused never_used")
	if _, taken, err := db.TakeOver(t.Context(), ana, orphan.ID); err != nil || !taken {
		t.Fatal(taken, err)
	}
	detail, err := db.Store.Application(t.Context(), ana.TeamID, orphan.ID)
	if err != nil || detail.CreatedByName != "jonas" || detail.TakenOverByName != "ana" {
		t.Errorf("%+v %v", detail, err)
	}
	if _, taken, err := db.TakeOver(t.Context(), ana, orphan.ID); err != nil || taken {
		t.Errorf("taken over twice: %v %v", taken, err)
	}
	wants("taken over", "Unused never_used")
	if _, err := db.KeepFinding(t.Context(), ana, unused.ID, models.FoundNeverUsed); err != nil {
		t.Fatal(err)
	}
	wants("kept")
	db.Wait(models.KeepFindingFor - time.Millisecond)
	use(orphan)
	wants("before the keeping ends", "Used idle")
	db.Wait(time.Millisecond)
	wants("after the keeping", "Used idle", "Unused never_used")
	use(unused)
	db.Wait(models.OldSecretAfter)
	use(unused, used, orphan)
	wants("after a year", "Orphan old_secret", "Unused old_secret", "Used old_secret")
	exec(t, db, "UPDATE users SET disabled_at = 1 WHERE id = ?", ana.UserID)
	if got := findingsOf(t, db, ana.TeamID); len(got) != 6 {
		t.Errorf("a disabled maker is there: %q", got)
	}
}

// D3: what another team has is neither kept nor taken over.
func TestHygieneOfAnotherTeam(t *testing.T) {
	db := storetest.New(t)
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	eve := db.Member(t, "contoso", "eve", models.RoleOwner)
	app := db.Application(t, ana, "Bot")
	if _, err := db.KeepFinding(t.Context(), eve, app.ID, models.FoundIdle); err == nil {
		t.Error("kept")
	}
	if _, _, err := db.TakeOver(t.Context(), eve, app.ID); err == nil {
		t.Error("taken over")
	}
}
