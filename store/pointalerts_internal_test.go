package store

import (
	"encoding/json"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/latchkey/latchkey/models"
)

// What goes to webhooks of points, once each, in the transaction that notes it.
func TestPointAlertsAreQueued(t *testing.T) {
	now := models.At(time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC))
	s, err := Open(migratedPath(t), func() models.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ana, err := s.AddUser(t.Context(), models.CommandLine, Account{Name: "ana", Email: "ana@northwind.example", PasswordHash: "-", Team: "northwind", Role: models.RoleOwner})
	if err != nil {
		t.Fatal(err)
	}
	var team string
	if err := s.read(t.Context()).Raw("SELECT team_id FROM members WHERE user_id = ?", ana.ID).Scan(&team).Error; err != nil {
		t.Fatal(err)
	}
	alert := models.PointAlert{TeamID: team, TeamName: "northwind", PlanName: "Basic", Mark: 80, PeriodStartedAt: now.Add(-time.Hour), PeriodEndsAt: now.Add(time.Hour), Used: 81, Total: 100}
	told := func(mark int64) error {
		alert.Mark = mark
		return s.touch(t.Context(), func(tx *gorm.DB) error {
			if err := tx.Exec("INSERT INTO point_alerts (team_id, period_started_at, mark, at) VALUES (?, ?, ?, ?)", team, alert.PeriodStartedAt, mark, now).Error; err != nil {
				return err
			}
			return queuePointAlert(tx, alert, now)
		})
	}
	if err := told(50); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Deliveries(t.Context(), team); err != nil || len(all) != 0 {
		t.Fatalf("without a webhook: %+v %v", all, err)
	}
	actor := models.Actor{UserID: ana.ID, TeamID: team, Role: models.RoleOwner}
	if err := s.SetWebhook(t.Context(), actor, "https://example.com/", []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	for _, mark := range []int64{80, 100} {
		if err := told(mark); err != nil {
			t.Fatal(err)
		}
		if err := told(mark); err == nil {
			t.Errorf("%d is told twice", mark)
		}
	}
	var rows []models.Delivery
	if err := s.read(t.Context()).Where("team_id = ?", team).Order("id").Find(&rows).Error; err != nil || len(rows) != 2 {
		t.Fatalf("%+v %v", rows, err)
	}
	for i, want := range []models.WebhookEvent{models.EventPointsLow, models.EventPointsUsedUp} {
		var event struct {
			Type, Timestamp string
			Data            map[string]any
		}
		if err := json.Unmarshal([]byte(rows[i].Body), &event); err != nil {
			t.Fatal(err)
		}
		if rows[i].Event != want || event.Type != string(want) || event.Timestamp != "2026-11-23T16:00:00Z" || rows[i].NextAt != now || event.Data["points_used"] != 81.0 ||
			event.Data["points_total"] != 100.0 || event.Data["percent"] != []any{80.0, 100.0}[i] || event.Data["team"] != "northwind" || event.Data["plan"] != "Basic" ||
			event.Data["period_ends_at"] != "2026-11-23T17:00:00Z" {
			t.Errorf("%+v", rows[i])
		}
	}
	if owners, err := s.Owners(t.Context(), team); err != nil || len(owners) != 1 || owners[0].Email != "ana@northwind.example" {
		t.Errorf("%+v %v", owners, err)
	}
}
