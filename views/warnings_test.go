package views

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

func soonTokenList() models.TokenList {
	list := activeTokenList()
	list.Rows = append([]models.TokenRow{token("k6", "sOOn", "Ends first", 24*24*time.Hour, 30*24*time.Hour-time.Hour)}, list.Rows...)
	list.Total, list.EndingTotal = 4, 1
	return list
}

func findingsList() models.FindingList {
	return models.FindingList{Total: 5, Rows: []models.Finding{
		{Reason: models.FoundMakerGone, ApplicationID: appID, ApplicationName: "Trading bot", MakerName: "Jonas Weber", Since: date(2026, time.March, 3)},
		{Reason: models.FoundMakerGone, ApplicationID: appID, ApplicationName: hostileNames[3], Since: date(2026, time.March, 3)},
		{Reason: models.FoundOldSecret, ApplicationID: appID, ApplicationName: hostileNames[0], Since: date(2025, time.March, 3)},
		{Reason: models.FoundIdle, ApplicationID: appID, ApplicationName: hostileNames[5], Since: date(2026, time.June, 2)},
		{Reason: models.FoundNeverUsed, ApplicationID: appID, ApplicationName: "Staging", Since: date(2026, time.October, 2)},
	}}
}

const exampleHook = "https://hooks.northwind.example/services/T024/B7/very-secret-path"

func deliveriesList() []models.Delivery {
	id := "01a215f7-1f5d-735f-8ac1-e070f826900"
	return []models.Delivery{
		{ID: id + "5", Event: models.EventTest, CreatedAt: before(time.Second), NextAt: before(time.Second)},
		{ID: id + "4", Event: models.EventTokenEnding, CreatedAt: before(3 * time.Hour), NextAt: now.Add(2 * time.Hour), Attempts: 4, LastAt: before(time.Minute), TookMS: 10000, Problem: "No answer came in time."},
		{ID: id + "3", Event: models.EventSecretEnding, CreatedAt: before(40 * time.Hour), Attempts: 7, Status: 500, TookMS: 41, Problem: "It answered 500 Internal Server Error."},
		{ID: id + "2", Event: models.EventTokenEnding, CreatedAt: before(50 * time.Hour), DeliveredAt: before(50 * time.Hour), Attempts: 1, Status: 204, TookMS: 1250},
	}
}

func warningsState(role models.Role) WarningsState {
	hook := models.Webhook{TeamID: "t1", URL: exampleHook, SecretAt: date(2026, time.October, 3)}
	feed := models.CalendarFeed{CreatedAt: date(2026, time.October, 3), LastUsedAt: before(time.Hour)}
	return WarningsState{Role: role, Mails: true, Feed: &feed, Hook: &hook, Deliveries: deliveriesList()}
}

func warningGoldens() map[string]templ.Component {
	owner, dev, viewer := pageOf(models.RoleOwner), pageOf(models.RoleDeveloper), pageOf(models.RoleViewer)
	attention := models.Attention{Ending: 1201, EndingOf: map[string]int64{appID: 1, otherRow(2, "", 0, 0).ID: 1200}, Findings: 3}
	list := func(list models.ApplicationList, query models.ApplicationQuery) ApplicationsList {
		return NewApplicationsList(list, query, attention, owner.Role, clock)
	}
	state := TokensState{Role: owner.Role}
	filtered := TokensState{Role: owner.Role, Query: models.TokenQuery{Ending: true}}
	app := detail().Application
	apps := []models.Application{app}
	soon, named, unnamed := soonTokenList(), activeTokenList().Rows[0].Token, endedTokenList().Rows[3].Token
	none := models.TokenList{EndedTotal: 2}
	shown, made, failed := warningsState(owner.Role), warningsState(owner.Role), warningsState(owner.Role)
	shown.Secret, made.FeedAddress, failed.Deliveries = models.NewSecret(exampleValue), models.NewSecret(exampleValue), failed.Deliveries[2:]
	return map[string]templ.Component{
		"applications-ending":      Applications(owner, list(applicationList(), models.ApplicationQuery{Page: 1})),
		"applications-ending-only": Applications(owner, list(applicationList(), models.ApplicationQuery{Page: 1, Ending: true, Sort: models.SortLastUsed, Desc: true, Search: "bot"})),
		"applications-ending-none": Applications(owner, NewApplicationsList(models.ApplicationList{}, models.ApplicationQuery{Page: 1, Ending: true}, models.Attention{}, owner.Role, clock)),
		"application-ending":       Application(owner, NewApplicationView(detailWithOldSecret(), soon, state, baseURL, limits.Scopes, clock)),
		"application-ending-only":  Application(owner, NewApplicationView(detail(), models.TokenList{Total: 1, EndingTotal: 1, Rows: soon.Rows[:1]}, filtered, baseURL, limits.Scopes, clock)),
		"tokens-ending-none":       Tokens(owner, NewTokensView(apps, false, &app, none, filtered, clock)),
		"regenerate-token":         RegenerateToken(owner, NewConfirmRegenerate(app, named, "once-5", "", clock)),
		"regenerate-token-expired": RegenerateToken(owner, NewConfirmRegenerate(app, unnamed, "once-5", FromTokens, clock)),
		"hygiene":                  Hygiene(owner, NewHygieneView(findingsList(), 1, owner.Role, clock)),
		"hygiene-viewer":           Hygiene(viewer, NewHygieneView(findingsList(), 1, viewer.Role, clock)),
		"hygiene-empty":            Hygiene(owner, NewHygieneView(models.FindingList{}, 1, owner.Role, clock)),
		"hygiene-past-end":         Hygiene(owner, NewHygieneView(models.FindingList{Total: 3}, 9, owner.Role, clock)),
		"warnings":                 Warnings(owner, NewWarningsView(warningsState(owner.Role), clock)),
		"warnings-nothing":         Warnings(owner, NewWarningsView(WarningsState{Role: owner.Role}, clock)),
		"warnings-developer":       Warnings(dev, NewWarningsView(warningsState(dev.Role), clock)),
		"warnings-viewer":          Warnings(viewer, NewWarningsView(warningsState(viewer.Role), clock)),
		"warnings-viewer-nothing":  Warnings(viewer, NewWarningsView(WarningsState{Role: viewer.Role}, clock)),
		"warnings-secret-shown":    Warnings(owner, NewWarningsView(shown, clock)),
		"warnings-calendar-made":   Warnings(owner, NewWarningsView(made, clock)),
		"warnings-given-up":        Warnings(owner, NewWarningsView(failed, clock)),
		"webhook":                  Webhook(owner, NewWebhookForm(false, "", "", false)),
		"webhook-errors":           Webhook(owner, NewWebhookForm(true, `http://"><b>`, "The address must begin with https://.", true)),
		"remove-webhook":           RemoveWebhook(owner),
		"rotate-webhook-secret":    RotateWebhookSecret(owner, "once-6"),
	}
}

// A webhook's path may be a secret: only owners see it.
func TestAddressOfTheWebhook(t *testing.T) {
	for role, whole := range map[models.Role]bool{models.RoleOwner: true, models.RoleDeveloper: false, models.RoleViewer: false, "": false} {
		card := NewWarningsView(warningsState(role), clock).Webhook
		if strings.Contains(card.Address, "secret") != whole || !strings.HasPrefix(card.Address, "https://hooks.northwind.example/") {
			t.Errorf("%q sees %q", role, card.Address)
		}
		if (card.EditHref != "") != whole || (card.RemoveHref != "") != whole || (card.TestAction != "") != whole || (card.RevealAction != "") != role.May(models.MayReveal) {
			t.Errorf("%q gets %+v", role, card)
		}
	}
}

func TestDeliveriesInWords(t *testing.T) {
	card := NewWarningsView(warningsState(models.RoleOwner), clock).Webhook
	for i, want := range [][4]string{
		{"Waiting", "", "", "0 of 7"}, {"Waiting", "No answer came in time.", "after 10.0 s", "4 of 7"},
		{"Given up", "It answered 500 Internal Server Error.", "after 41 ms", "7 of 7"}, {"Delivered", "It answered 204.", "after 1.2 s", "1 of 7"},
	} {
		if d := card.Deliveries[i]; [4]string{d.Status, d.Answer, d.Took, d.Attempts} != want {
			t.Errorf("%d: %+v, want %v", i, d, want)
		}
	}
	if card.Failed || card.Deliveries[1].Next.Text != "in 2 hours" || card.Deliveries[0].Next.Machine != "" {
		t.Errorf("%+v", card)
	}
}

func TestDeedsOfFindings(t *testing.T) {
	for role, may := range map[models.Role]bool{models.RoleOwner: true, models.RoleDeveloper: true, models.RoleViewer: false, "": false} {
		for i, want := range [][4]bool{{true, true, false, false}, {true, true, false, false}, {true, false, false, false}, {false, false, true, true}, {false, false, true, true}} {
			row := NewHygieneView(findingsList(), 1, role, clock).Rows[i]
			got := [4]bool{row.RotateHref != "", row.TakeOverAction != "", row.SwitchOffHref != "", row.DeleteHref != ""}
			if !may {
				want = [4]bool{}
			}
			if got != want || (row.KeepAction != "") != may {
				t.Errorf("%s as %q: %+v", row.Finding, role, row)
			}
		}
	}
}

func TestRegenerateButton(t *testing.T) {
	off := detail()
	off.DisabledAt = before(time.Hour)
	for i, want := range []bool{true, true, true, true, false} {
		for role, app := range map[models.Role]models.ApplicationDetail{models.RoleOwner: detail(), models.RoleViewer: detail(), models.RoleDeveloper: off} {
			row := NewApplicationView(app, endedTokenList(), TokensState{Role: role}, baseURL, limits.Scopes, clock).Tokens.Rows[i]
			if (row.RegenerateHref != "") != (want && role == models.RoleOwner) {
				t.Errorf("row %d as %s: %q", i, role, row.RegenerateHref)
			}
		}
	}
}
