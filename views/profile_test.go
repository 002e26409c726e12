package views

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/latchkey/latchkey/models"
)

const (
	firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
	safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)

func profileFacts() ProfileFacts {
	user := models.User{ID: "u1", Name: "Ana Ruiz", Email: "ana@northwind.example", PasswordHash: "-", TimeZone: "Europe/Berlin"}
	event := func(action models.AuditAction, actor, detail string, ago time.Duration) models.AuditEvent {
		return models.AuditEvent{Action: action, ActorID: actor, ActorName: "Jonas Weber", Detail: detail, At: before(ago), Address: "192.0.2.7", UserAgent: firefox}
	}
	command := event(models.AuditPasswordChanged, "", "", 80*24*time.Hour)
	command.ActorName, command.Address, command.UserAgent = "Command line", "", ""
	return ProfileFacts{
		User: user, Ref: "s1", Fresh: true,
		Sessions: []models.Session{
			{Ref: "s1", Method: models.ByPassword, Browser: firefox, Address: "192.0.2.7", CreatedAt: before(5 * time.Hour), LastSeenAt: before(20 * time.Second)},
			{Ref: "s2", Method: models.ByPasskey, Browser: safari, Address: "2001:db8:85a3::8a2e:370:7334", CreatedAt: before(70 * time.Hour), LastSeenAt: before(13 * time.Hour)},
			{Ref: "s3", Browser: `"><svg onload=alert(1)>`, CreatedAt: before(90 * time.Hour), LastSeenAt: before(14 * time.Hour)},
		},
		Events: []models.AuditEvent{
			event(models.AuditSignedIn, "u1", "with a password, in a new browser", 5*time.Hour),
			event(models.AuditSignInFailed, "", "", 6*time.Hour),
			event(models.AuditEmailAsked, "u1", "to "+hostileNames[0], 7*time.Hour),
			event("Role changed", "u2", "", 30*24*time.Hour), command,
		},
	}
}

func accountGoldens() map[string]templ.Component {
	page, alone := pageOf(models.RoleOwner), pageOf("")
	page.Path, alone.TeamName, alone.Path = ProfilePath, "", ProfilePath
	zoned := clock
	zoned.Zone = time.FixedZone("Europe/Berlin", 3600)
	shown := func(change func(f *ProfileFacts), typed ProfileTyped) templ.Component {
		facts := profileFacts()
		change(&facts)
		return ProfilePage(page, NewProfile(facts, typed, zoned))
	}
	as := func(*ProfileFacts) {}
	noPassword := func(f *ProfileFacts) { f.User.PasswordHash = "" }
	return map[string]templ.Component{
		"profile":      shown(func(f *ProfileFacts) { f.Failures, f.FailedAt = 3, before(6*time.Hour) }, ProfileTyped{}),
		"profile-mail": shown(func(f *ProfileFacts) { f.ByMail = true }, ProfileTyped{}),
		"profile-new": ProfilePage(flashed(alone, "Your name is Ana."), NewProfile(ProfileFacts{
			User: models.User{ID: "u1", Name: "Ana", Email: "ana@b.example", PasswordHash: "-"}, Ref: "s1", Sessions: profileFacts().Sessions[:1],
		}, ProfileTyped{}, clock)),
		"profile-name-error":       shown(as, ProfileTyped{Form: FormName, Value: hostileNames[1], Errs: models.FieldErrors{"name": "Use at most 64 characters."}}),
		"profile-email-error":      shown(as, ProfileTyped{Form: FormEmail, Value: "nobody", Errs: models.FieldErrors{"email": "Enter an email address such as ana@example.com."}}),
		"profile-email-wrong":      shown(as, ProfileTyped{Form: FormEmail, Value: "new@b.example", Errs: models.FieldErrors{"password": WrongPassword}}),
		"profile-password-error":   shown(as, ProfileTyped{Form: FormPassword, Errs: models.FieldErrors{FieldNewPassword: "Use at least 12 characters."}}),
		"profile-password-wrong":   shown(as, ProfileTyped{Form: FormPassword, Errs: models.FieldErrors{FieldCurrent: WrongPassword}}),
		"profile-zone-error":       shown(as, ProfileTyped{Form: FormTimeZone, Value: "Local", Errs: models.FieldErrors{"time_zone": "Choose one of the time zones shown."}}),
		"profile-no-password":      shown(noPassword, ProfileTyped{}),
		"profile-no-password-long": shown(func(f *ProfileFacts) { noPassword(f); f.Fresh = false }, ProfileTyped{}),
		"email-confirm":            ConfirmEmailPage(page, NewConfirmEmail("ana@northwind.example", hostileNames[0], models.NewSecret("kQ3v"))),
		"email-link-over":          EmailLinkOver(page),
	}
}

// Every time on a page is in the zone of its reader, and the page says which that is.
func TestPagesAreInTheReadersZone(t *testing.T) {
	before := clock
	defer func() { clock = before }()
	clock.Zone = time.FixedZone("Asia/Kolkata", 5*3600+1800)
	for name, component := range goldens() {
		if strings.HasPrefix(name, "profile") { // these have a zone of their own, and UTC to choose
			continue
		}
		if strings.HasPrefix(name, "usage") || strings.HasPrefix(name, "application-capped") { // counters are of UTC days
			continue
		}
		if page := string(render(t, component)); strings.Contains(page, " UTC") {
			t.Errorf("%s shows UTC", name)
		}
	}
	clock.Zone = time.FixedZone("America/New_York", -5*3600)
	page := string(render(t, goldens()["application"]))
	for _, want := range []string{"Times are in America/New York.", `datetime="2026-11-23T15:58:00Z" title="23 Nov 2026, 10:58:00 America/New_York"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}
