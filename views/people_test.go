package views

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/views/layout"
)

const exampleLink = "https://latchkey.northwind.example/invitations?code=" + exampleValue

func actorOf(role models.Role) models.Actor {
	return models.Actor{UserID: "u1", UserName: "Ana Ruiz", Email: "ana@northwind.example", TeamID: "t1", TeamName: "Northwind", Role: role}
}

func member(id, name, email string, role models.Role, seen models.Time) models.MemberRow {
	return models.MemberRow{Member: models.Member{TeamID: "t1", UserID: id, Role: role, CreatedAt: date(2026, time.March, 3)}, Name: name, Email: email, LastSeenAt: seen}
}

func memberRows() []models.MemberRow {
	ana := member("u1", "Ana Ruiz", "ana@northwind.example", models.RoleOwner, now)
	ana.SecondFactor = true
	return []models.MemberRow{
		ana, member("u2", "Jonas Weber", "jonas@northwind.example", models.RoleDeveloper, before(3*time.Hour)),
		member("u3", hostileNames[0], "mei@northwind.example", models.RoleViewer, 0), member("u4", hostileNames[5], strings.Repeat("w", 60)+"@northwind.example", models.RoleViewer, date(2026, time.November, 9)),
	}
}

func invitationRows() []models.InvitationRow {
	row := func(id, email string, age time.Duration) models.InvitationRow {
		return models.InvitationRow{CreatedByName: "Ana Ruiz", Invitation: models.Invitation{
			ID: id, TeamID: "t1", Email: email, Role: models.RoleDeveloper, CreatedAt: before(age), ExpiresAt: before(age).Add(models.InvitationLife),
		}}
	}
	return []models.InvitationRow{row("i1", "sam@northwind.example", time.Minute), row("i2", strings.Repeat("m", 64)+"@northwind.example", 6*24*time.Hour)}
}

func seenList(member bool) models.SeenList {
	value := func(kind models.SightedType, id, app, name, last4 string, ends models.Time, times int64) models.Seen {
		seen := models.Seen{Type: kind, ID: id, AppName: app, Name: name, Last4: last4, ExpiresAt: ends, Times: times}
		if times > 0 {
			seen.LastAt = before(2 * time.Hour)
		}
		return seen
	}
	key := func(id, app, name, description string, only bool) models.Seen {
		return models.Seen{Type: models.SightedKey, ID: id, AppName: app, Name: name, Description: description, LastAt: before(2 * time.Hour), OnlyWay: only}
	}
	return models.SeenList{UserID: "u2", Name: "Jonas Weber", Member: member, Total: 250, Rows: []models.Seen{
		key("p1", "Trading bot", "Laptop", "EC, P-256", false), key("p2", hostileNames[0], hostileNames[3], "Ed25519", true),
		value(models.SightedSecret, "s2", "Trading bot", "", "3f9a", 0, 3), value(models.SightedSecret, "s1", hostileNames[0], "", "k8Tz", now.Add(40*time.Minute), 1),
		value(models.SightedToken, "k1", "Trading bot", "Backfill", "Zk3Q", now.Add(72*time.Hour), 1), value(models.SightedToken, "k2", hostileNames[3], hostileNames[3], "8tHw", now.Add(time.Hour), 0),
	}}
}

func only(list models.SeenList, kind models.SightedType) models.SeenList {
	var rows []models.Seen
	for _, row := range list.Rows {
		if row.Type == kind {
			rows = append(rows, row)
		}
	}
	list.Rows, list.Total = rows, int64(len(rows))
	return list
}

func openInvitation() models.OpenInvitation {
	return models.OpenInvitation{TeamName: "Northwind", InvitedByName: "Ana Ruiz", Invitation: models.Invitation{
		ID: "i1", Email: "sam@northwind.example", EmailKey: models.EmailKey("sam@northwind.example"), Role: models.RoleDeveloper,
	}}
}

func teamGoldens() map[string]templ.Component {
	owner, viewer := pageOf(models.RoleOwner), pageOf(models.RoleViewer)
	former := []models.FormerMember{{UserID: "u9", Name: "Mei Tanaka", Email: "mei@northwind.example", Known: 1}, {UserID: "u8", Name: hostileNames[1], Email: "x@northwind.example", Known: 3}}
	team := func(state TeamState) TeamView {
		return NewTeamView(memberRows(), invitationRows(), former, state, clock)
	}
	asOwner := TeamState{Actor: actorOf(models.RoleOwner)}
	created, mailed, shown := asOwner, asOwner, asOwner
	created.Created = "i1"
	mailed.Created, mailed.Mailed = "i1", true
	shown.Shown = ShownLink{ID: "i1", Link: models.NewSecret(exampleLink)}
	seenErr := SeenTyped{Chosen: map[string]bool{}, Overlap: "3600"}
	jonas := memberRows()[1]
	return map[string]templ.Component{
		"team":            Team(flashed(owner, "Jonas Weber was removed."), team(asOwner)),
		"team-alone":      Team(owner, NewTeamView(memberRows()[:1], nil, nil, asOwner, clock)),
		"team-created":    Team(owner, team(created)),
		"team-mailed":     Team(owner, team(mailed)),
		"team-link-shown": Team(owner, team(shown)),
		"team-viewer":     Team(viewer, team(TeamState{Actor: actorOf(models.RoleViewer)})),
		"team-rename":     RenameTeam(owner, RenameForm{Name: hostileNames[0], Error: "Use at most 64 characters."}),
		"team-leave":      LeaveTeam(viewer, ConfirmLeave{TeamName: "Northwind"}),
		"team-leave-last": LeaveTeam(owner, ConfirmLeave{TeamName: hostileNames[3], Error: models.LastOwner}),

		"member-invite":        InviteMember(owner, NewInviteForm(models.InvitationInput{}, nil, "once-3", false)),
		"member-invite-mail":   InviteMember(owner, NewInviteForm(models.InvitationInput{}, nil, "once-3", true)),
		"member-invite-errors": InviteMember(owner, NewInviteForm(models.InvitationInput{Email: "sam", Role: "boss"}, models.FieldErrors{"email": "Enter an email address such as ana@example.com.", "role": "Choose one of the roles shown."}, "once-3", false)),
		"member-role":          ChangeRole(owner, NewRoleForm(jonas, "u1", jonas.Role, nil)),
		"member-role-own":      ChangeRole(owner, NewRoleForm(memberRows()[0], "u1", models.RoleViewer, models.FieldErrors{"role": models.LastOwner})),
		"member-remove":        RemoveMember(owner, NewConfirmRemoveMember(jonas, "Northwind", models.SeenList{}, nil)),
		"member-remove-knows":  RemoveMember(owner, NewConfirmRemoveMember(memberRows()[2], hostileNames[3], seenList(true), models.FieldErrors{"role": models.LastOwner})),
		"invitation-cancel":    CancelInvitation(owner, NewConfirmCancelInvitation(invitationRows()[0].Invitation)),

		"seen":         Seen(flashed(owner, "Jonas Weber was removed."), NewSeenView(seenList(false), SeenTyped{}, "", clock)),
		"seen-none":    Seen(owner, NewSeenView(seenList(false), seenErr, "Choose what to revoke, rotate or remove.", clock)),
		"seen-tokens":  Seen(owner, NewSeenView(only(seenList(true), models.SightedToken), SeenTyped{}, "", clock)),
		"seen-secrets": Seen(owner, NewSeenView(only(seenList(true), models.SightedSecret), SeenTyped{}, "", clock)),
		"seen-keys":    Seen(owner, NewSeenView(only(seenList(true), models.SightedKey), SeenTyped{}, "", clock)),
		"seen-nothing": Seen(owner, NewSeenView(models.SeenList{UserID: "u2", Name: hostileNames[0], Member: true}, SeenTyped{}, "", clock)),
	}
}

func wayInGoldens() map[string]templ.Component {
	out, in := signedOutPage(), pageOf(models.RoleOwner)
	join := func(reader models.Actor, name string, errs models.FieldErrors) InvitationView {
		return NewInvitationView(openInvitation(), "kQ3v", reader, name, errs)
	}
	hostile, nobody := openInvitation(), openInvitation()
	hostile.TeamName, hostile.InvitedByName = hostileNames[0], hostileNames[3]
	nobody.InvitedByName = ""
	sam := models.Actor{UserID: "u7", Email: "SAM@northwind.example"}
	typed := models.AccountInput{Name: "Ana Ruiz", Email: "ana", Team: hostileNames[0]}
	errs := models.FieldErrors{"name": "Enter a name.", "email": "Enter an email address such as ana@example.com.", "password": "Use at least 12 characters.", "team": "Use at most 64 characters."}
	taken := NewSignUpForm(models.AccountInput{Name: "Ana", Email: "ana@northwind.example", Team: "Northwind"}, nil, false)
	taken.EmailError = EmailTaken
	switcher := in
	switcher.Teams = []layout.TeamChoice{{ID: "t1", Name: "Northwind", Role: "Owner", Current: true}, {ID: "t2", Name: hostileNames[0], Role: "Viewer"}, {ID: "t3", Name: hostileNames[5], Role: "Developer"}}
	teamless := in
	teamless.TeamName, teamless.Role = "", ""
	own := models.Membership{TeamID: "t1", TeamName: "Northwind", SuspendedAt: now}
	other := models.Membership{TeamID: "t2", TeamName: hostileNames[0]}
	return map[string]templ.Component{
		"404-in-one-team-of-several": Error(switcher, NewErrorView(404, models.RoleOwner, "H5ZQ")),
		"invitation":                 Invitation(out, join(models.Actor{}, "", nil)),
		"invitation-hostile":         Invitation(out, NewInvitationView(hostile, "kQ3v", models.Actor{}, hostileNames[1], errs)),
		"invitation-exists":          Invitation(out, join(models.Actor{}, "Sam", models.FieldErrors{"email": "x"})),
		"invitation-join":            Invitation(in, NewInvitationView(nobody, "kQ3v", sam, "", nil)),
		"invitation-full":            Invitation(in, join(sam, "", models.FieldErrors{"team": "The team has 200 members, as many as a team may have. An owner has to remove one first."})),
		"invitation-other":           Invitation(in, join(actorOf(models.RoleOwner), "", nil)),
		"invitation-gone":            InvitationGone(out),
		"invitation-gone-in":         InvitationGone(in),
		"signup":                     SignUp(out, NewSignUpForm(models.AccountInput{}, nil, false)),
		"signup-mailed":              SignUp(out, NewSignUpForm(models.AccountInput{}, nil, true)),
		"signup-errors":              SignUp(out, NewSignUpForm(typed, errs, false)),
		"signup-taken":               SignUp(out, taken),
		"signup-sent":                SignUpSent(out),
		"signup-finish":              FinishSignUp(out, NewFinishSignUpForm("kQ3v", models.AccountInput{Name: "Ana Ruiz", Email: "ana@northwind.example", Team: "Northwind"}, "")),
		"signup-finish-errors":       FinishSignUp(out, NewFinishSignUpForm("kQ3v", models.AccountInput{Name: hostileNames[1], Email: "ana@northwind.example", Team: hostileNames[0]}, "Use at least 12 characters.")),
		"signup-gone":                SignUpGone(out),
		"login-signup":               Login(out, LoginForm{SignUp: true}),
		"switcher":                   Team(switcher, NewTeamView(memberRows()[:1], nil, nil, TeamState{Actor: actorOf(models.RoleOwner)}, clock)),
		"no-team":                    NoTeam(teamless, NewNoTeamView(nil, clock)),
		"no-team-suspended":          NoTeam(teamless, NewNoTeamView([]models.Membership{own}, clock)),
		"no-team-two":                NoTeam(teamless, NewNoTeamView([]models.Membership{own, own}, clock)),
		"no-team-other":              NoTeam(teamless, NewNoTeamView([]models.Membership{own, other}, clock)),
	}
}

// D2: the table on the page says what Role.May says.
func TestRolesTable(t *testing.T) {
	lines := NewTeamView(nil, nil, nil, TeamState{}, clock).Roles
	for i, line := range lines {
		may := roleLines[i].may
		if line.Owner != models.RoleOwner.May(may) || line.Developer != models.RoleDeveloper.May(may) || line.Viewer != models.RoleViewer.May(may) || !line.Owner {
			t.Errorf("%+v", line)
		}
	}
	if len(lines) != 6 || lines[5].Developer || lines[4].Developer || lines[2].Viewer || !lines[0].Viewer {
		t.Errorf("%+v", lines)
	}
}

func TestTeamAsARole(t *testing.T) { // D2
	for role, owns := range map[models.Role]bool{models.RoleOwner: true, models.RoleDeveloper: false, models.RoleViewer: false, "": false} {
		view := NewTeamView(memberRows(), invitationRows(), nil, TeamState{Actor: actorOf(role), Created: "i1"}, clock)
		you, other := view.Members[0], view.Members[1]
		for what, has := range map[string]bool{
			"invite": view.InviteHref != "", "rename": view.RenameHref != "", "role": other.RoleHref != "", "own role": you.RoleHref != "",
			"remove": other.RemoveHref != "", "invitations": len(view.Invitations) > 0, "created": view.Created != nil,
		} {
			if has != owns {
				t.Errorf("%s as %q: %v", what, role, has)
			}
		}
		if you.LeaveTo == "" || you.RemoveHref != "" || other.LeaveTo != "" {
			t.Errorf("as %q: %+v %+v", role, you, other)
		}
	}
}

func TestWhatAMemberKnows(t *testing.T) {
	for total, want := range map[int64]string{
		0: "", 1: "They have seen or added 1 token, secret or public key that still works. The next page lists it, to be revoked, rotated or removed.",
		1200: "They have seen or added 1,200 tokens, secrets and public keys that still work. The next page lists them, to be revoked, rotated or removed.",
	} {
		if got := NewConfirmRemoveMember(memberRows()[1], "Northwind", models.SeenList{Total: total}, nil); got.Knows != want {
			t.Errorf("%d: %q", total, got.Knows)
		}
	}
}

func TestWhatTheButtonSays(t *testing.T) {
	all := seenList(true)
	without := func(kind models.SightedType) models.SeenList {
		list := all
		list.Rows = slices.DeleteFunc(slices.Clone(all.Rows), func(row models.Seen) bool { return row.Type == kind })
		return list
	}
	for want, list := range map[string]models.SeenList{
		"Revoke, rotate and remove": all, "Revoke tokens": only(all, models.SightedToken), "Rotate secrets": only(all, models.SightedSecret), "Remove keys": only(all, models.SightedKey),
		"Revoke tokens and rotate secrets": without(models.SightedKey), "Revoke tokens and remove keys": without(models.SightedSecret), "Rotate secrets and remove keys": without(models.SightedToken),
	} {
		if got := NewSeenView(list, SeenTyped{}, "", clock).Submit; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	// Nothing is there: no button, and no words for it.
	if got := NewSeenView(models.SeenList{}, SeenTyped{}, "", clock).Submit; got != "" {
		t.Errorf("%q for nothing", got)
	}
}
