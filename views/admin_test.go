package views

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
)

func operatorPage() layout.Page {
	page := pageOf(models.RoleOwner)
	page.Operator = true
	return page
}

func teamRow(id, name string, suspended models.Time, reason string) models.TeamRow {
	return models.TeamRow{Members: 3, Applications: 1204, Team: models.Team{ID: id, Name: name, CreatedAt: date(2026, time.March, 3), SuspendedAt: suspended, SuspendedReason: reason}}
}

func adminUser() models.UserRow {
	return models.UserRow{
		ID: "u1", Name: "Jonas Weber", Email: "jonas@northwind.example", HasPassword: true, SecondFactor: true, Sessions: 2,
		CreatedAt: date(2026, time.March, 3), LastSeenAt: before(2 * time.Minute),
		Teams: []models.Membership{{TeamID: "t1", TeamName: "Northwind", Role: models.RoleOwner, OnlyOwner: true}, {TeamID: "t2", TeamName: hostileNames[1], Role: models.RoleViewer, SuspendedAt: before(time.Hour)}},
	}
}

func adminGoldens() map[string]templ.Component {
	page := operatorPage()
	teams := models.TeamList{Total: 3, Rows: []models.TeamRow{
		teamRow("t1", "Northwind", 0, ""), teamRow("t2", hostileNames[0], before(26*time.Hour), hostileNames[2]), teamRow("t3", hostileNames[5], before(time.Hour), ""),
	}}
	teams.Rows[1].PlanName = hostileNames[5]
	user, hostile, off, fresh := adminUser(), adminUser(), adminUser(), adminUser()
	hostile.ID, hostile.Name, hostile.Email, hostile.Operator, hostile.Teams, hostile.LastSeenAt, hostile.SecondFactor = "u2", hostileNames[5], strings.Repeat("w", 60)+"@northwind.example", true, nil, 0, false
	off.ID, off.DisabledAt, off.Sessions, off.Operator = "u3", before(time.Hour), 0, true
	fresh.ID, fresh.HasPassword, fresh.LastSeenAt, fresh.Sessions = "u4", false, 0, 0
	users := models.UserList{Total: 60, Rows: []models.UserRow{user, hostile, off}}
	api := models.ResourceServer{ID: "r1", Name: "Price API", ClientID: "4f5a0d1e-8a3b-4c55-b1a5-2f0e7c9dd3b7", CreatedAt: date(2026, time.March, 3), LastUsedAt: before(time.Minute)}
	odd := models.ResourceServer{ID: "r2", Name: hostileNames[0], ClientID: "00000000-8a3b-4c55-b1a5-2f0e7c9dd3b7", CreatedAt: date(2026, time.March, 3)}
	list := func(list models.TeamList, query models.ListQuery) AdminTeamsList {
		return NewAdminTeamsList(list, query, clock)
	}
	value := models.NewSecret(exampleValue)
	errs := models.FieldErrors{"team": "There is a team called Northwind already. Choose another name.", "name": "Enter a name.", "email": "Enter an email address such as ana@example.com."}
	return map[string]templ.Component{
		"admin-teams":          AdminTeams(flashed(page, "Northwind goes on. Its tokens that have not ended work again."), list(teams, models.ListQuery{})),
		"admin-teams-search":   AdminTeams(page, list(models.TeamList{Total: 1, Rows: teams.Rows[:1]}, models.ListQuery{Search: hostileNames[0]})),
		"admin-teams-no-match": AdminTeams(page, list(models.TeamList{}, models.ListQuery{Search: hostileNames[0]})),
		"admin-teams-past-end": AdminTeams(page, list(models.TeamList{Total: 3}, models.ListQuery{Page: 9})),
		"admin-team-new":       AdminNewTeam(page, NewAdminTeamForm(models.TeamInput{}, nil, false)),
		"admin-team-errors":    AdminNewTeam(page, NewAdminTeamForm(models.TeamInput{Team: "Northwind", Name: hostileNames[0], Email: "x"}, errs, true)),
		"admin-suspend":        AdminAsk(page, NewConfirmSuspend(teams.Rows[0].Team, "", "", StreamsClose(2))),
		"admin-suspend-wrong":  AdminAsk(page, NewConfirmSuspend(teams.Rows[1].Team, hostileNames[2], "Use at most 200 characters.", "")),
		"403-operators":        Error(pageOf(models.RoleOwner), NewOperatorsOnlyView("01JDC7M4Q9XK2V8E")),

		"admin-users":            AdminUsers(page, NewAdminUsersList(users, models.ListQuery{Page: 2}, clock)),
		"admin-user":             AdminUser(page, NewAdminUserView(user, "u9", clock)),
		"admin-user-hostile":     AdminUser(page, NewAdminUserView(hostile, "u9", clock)),
		"admin-user-disabled":    AdminUser(page, NewAdminUserView(off, "u9", clock)),
		"admin-user-self":        AdminUser(page, NewAdminUserView(hostile, "u2", clock)),
		"admin-user-never":       AdminUser(page, NewAdminUserView(fresh, "u9", clock)),
		"admin-disable":          AdminAsk(page, NewConfirmDisable(user, "")),
		"admin-disable-last":     AdminAsk(page, NewConfirmDisable(hostile, "Latchkey needs at least one operator. Make someone else an operator first.")),
		"admin-sessions":         AdminAsk(page, NewConfirmEndSessions(user, "")),
		"admin-factors":          AdminAsk(page, NewConfirmRemoveFactors(user, "")),
		"admin-operator":         AdminAsk(page, NewConfirmOperator(user, "")),
		"admin-operator-take":    AdminAsk(page, NewConfirmOperator(hostile, "")),
		"admin-link":             PasswordLink(page, NewPasswordLinkForm(user, false)),
		"admin-link-mail":        PasswordLink(page, NewPasswordLinkForm(fresh, true)),
		"admin-link-shown":       AdminShow(page, NewPasswordLinkShown(user, value, AdminUserPath("u1"))),
		"admin-resources":        AdminResourceServers(page, NewAdminResourceServersList([]models.ResourceServer{api, odd}, clock)),
		"admin-resources-empty":  AdminResourceServers(page, NewAdminResourceServersList(nil, clock)),
		"admin-resource-new":     AdminNewResourceServer(page, NewResourceServerForm{}),
		"admin-resource-error":   AdminNewResourceServer(page, NewResourceServerForm{Name: hostileNames[0], NameError: "Enter a name."}),
		"admin-resource-rotate":  AdminAsk(page, NewConfirmRotateResourceServer(api)),
		"admin-resource-remove":  AdminAsk(page, NewConfirmRemoveResourceServer(odd)),
		"admin-resource-shown":   AdminShow(page, NewResourceServerShown(api, value)),
		"admin-server":           AdminServer(page, NewAdminServerView(serverFacts(), clock)),
		"admin-server-no-mail":   AdminServer(page, NewAdminServerView(ServerFacts{Tokens: []TokenKindCount{}}, clock)),
		"admin-server-uncounted": AdminServer(page, NewAdminServerView(ServerFacts{}, clock)),
		"login-mail":             Login(signedOutPage(), LoginForm{Mails: true}),
		"forgot":                 Forgot(signedOutPage(), ForgotForm{}),
		"forgot-error":           Forgot(signedOutPage(), ForgotForm{Email: hostileNames[0], EmailError: "Enter an email address such as ana@example.com."}),
		"forgot-too-many":        Forgot(signedOutPage(), ForgotForm{Email: "ana@northwind.example", Error: TooManyAttempts(time.Hour)}),
		"forgot-sent":            ForgotSent(signedOutPage(), "ana@northwind.example"),
		"reset":                  Reset(signedOutPage(), ResetForm{Name: hostileNames[0], Email: "ana@northwind.example", Action: ResetLinkPath("kQ3v")}),
		"reset-error":            Reset(signedOutPage(), ResetForm{Name: "Ana Ruiz", Email: "ana@northwind.example", Action: ResetLinkPath("kQ3v"), PasswordError: "Use at least 12 characters."}),
		"reset-gone":             ResetGone(signedOutPage(), false),
		"reset-gone-mail":        ResetGone(signedOutPage(), true),
	}
}

func serverFacts() ServerFacts {
	return ServerFacts{
		Installation: models.Installation{Version: "v1.4.0", StartedAt: before(30 * time.Hour), Settings: []models.Setting{
			{Name: "LATCHKEY_ADDR", Default: "127.0.0.1:8080", Open: true, Value: "127.0.0.1:8080"}, {Name: "LATCHKEY_SMTP_URL", Set: true},
			{Name: "LATCHKEY_DATABASE", Default: "data/latchkey.db", Set: true, Open: true, Value: "/var/lib/" + hostileNames[5] + "/latchkey.db"}, {Name: "LATCHKEY_DOCS_URL", Open: true},
		}},
		InFile: true, File: 5 << 30, Free: 300 << 20, Log: 512, Users: 1204, Teams: 31, Applications: 12_004, ResourceServers: 1, Sessions: 77,
		Tokens: []TokenKindCount{{models.KindClientCredentials, 1_000_000, 12, 3}, {models.KindManual, 4, 0, 1}},
		Mail:   "smtp://mail.example.com:587", MailSecurity: "STARTTLS", MailFrom: "<latchkey@example.com>", MailUser: true, OwnEmail: "ana@northwind.example",
	}
}

// The mail with a link is text, and its link stands on a line of its own.
func TestPasswordMail(t *testing.T) {
	text := PasswordMail("Ana", models.NewSecret("https://latchkey.example/reset?code=x"), now, "https://latchkey.example").Reveal()
	if !strings.Contains(text, "\n\nhttps://latchkey.example/reset?code=x\n\n") || !strings.Contains(text, "until 23 Nov 2026, 16:00 UTC.") || strings.ContainsAny(text, "<>") {
		t.Errorf("%q", text)
	}
}

func TestFormatBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 1023: "1,023 bytes", 1024: "1.0 KiB", 1536 << 10: "1.5 MiB", 5 << 30: "5.0 GiB", 9 << 50: "9216.0 TiB"} {
		if got := formatBytes(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
