package warnings_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/store/storetest"
	"github.com/latchkey/latchkey/warnings"
)

// Owners of the team are mailed, and nobody else.
func TestPointAlertsAreMailed(t *testing.T) {
	db, letters := storetest.New(t), &post{}
	ana := db.Member(t, "northwind", "ana", models.RoleOwner)
	db.Member(t, "northwind", "jonas", models.RoleDeveloper)
	lena := db.Member(t, "northwind", "lena", models.RoleOwner)
	db.Member(t, "contoso", "eve", models.RoleOwner)
	alert := models.PointAlert{
		TeamID: ana.TeamID, TeamName: "north\nwind", PlanName: "Basic", Mark: 80, Used: 81_000, Total: 100_000,
		PeriodStartedAt: db.Now(), PeriodEndsAt: db.Now().Add(8 * 24 * time.Hour),
	}
	alerts := warnings.NewPointAlerts(db.Store, letters, baseURL, slog.New(slog.DiscardHandler))
	alerts.Tell([]models.PointAlert{alert})
	alert.Mark, alert.Used = 100, 100_001
	alerts.Tell([]models.PointAlert{alert})
	if len(letters.sent) != 4 || letters.sent[0].To != ana.Email || letters.sent[1].To != lena.Email {
		t.Fatalf("%+v", letters.sent)
	}
	for i, parts := range map[int][]string{
		0: {"80% of your team's points are used", "Hello ana,", "team north wind has used 81,000 of its 100,000 points of this period (plan Basic).", "19,000 points left.", "The period ends 1 Dec 2026, 16:00 UTC.", baseURL + "/user/usage"},
		3: {"All points of your team are used", "Hello lena,", "Calls are refused from now on."},
	} {
		text := letters.sent[i].Subject + "\n" + letters.sent[i].Text.Reveal()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%d: no %q in\n%s", i, part, text)
			}
		}
	}
	alert.Overage = true
	if alerts.Tell([]models.PointAlert{alert}); !strings.Contains(letters.sent[4].Text.Reveal(), "The plan lets calls go on") {
		t.Error(letters.sent[4].Text.Reveal())
	}
	letters.off, letters.sent = true, nil
	if alerts.Tell([]models.PointAlert{alert}); len(letters.sent) != 0 {
		t.Error("mailed without a mail server")
	}
}
