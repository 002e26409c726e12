package views

import (
	"strings"
	"testing"
	"time"

	"github.com/latchkey/latchkey/models"
)

func TestKeysAsARole(t *testing.T) { // D2
	for role, may := range map[models.Role]bool{models.RoleOwner: true, models.RoleDeveloper: true, models.RoleViewer: false, "": false} {
		view := applicationViewAs(role, detailWithKeys())
		for what, address := range map[string]string{
			"add": view.Keys.AddHref, "remove": view.Keys.Rows[1].RemoveHref, "remove secret": view.Credentials.RemoveHref,
			"create": applicationViewAs(role, detailWithoutSecret()).Credentials.RotateHref,
		} {
			if (address != "") != may {
				t.Errorf("%s as %q: %q", what, role, address)
			}
		}
	}
}

func TestKeyRows(t *testing.T) {
	rows := applicationViewAs(models.RoleOwner, detailWithKeys()).Keys.Rows
	used, fresh := rows[0], rows[1]
	if used.Short != "kPrK_qmx…rS4k" || used.Kind != "Ed25519" || used.LastUsed.Text != "5 minutes ago" || used.LastUsed.Machine == "" || used.Added.Text != "14 Oct 2026, 16:00" {
		t.Errorf("%+v", used)
	}
	if fresh.LastUsed.Text != "Never" || fresh.LastUsed.Machine != "" || fresh.Added.Text != "3 hours ago" || fresh.AddedBy != "Ana Ruiz" {
		t.Errorf("%+v", fresh)
	}
}

func TestHowManyKeys(t *testing.T) {
	app := detail()
	for n := range models.MaxClientKeys + 1 {
		card := applicationViewAs(models.RoleOwner, app).Keys
		if full := n == models.MaxClientKeys; (card.AddHref == "") != full || (card.Full != "") != full || len(card.Rows) != n {
			t.Errorf("with %d keys: %+v", n, card)
		}
		if viewers := applicationViewAs(models.RoleViewer, app).Keys; viewers.AddHref != "" || viewers.Full != "" {
			t.Errorf("with %d keys, a viewer: %+v", n, viewers)
		}
		app.Keys = append(app.Keys, clientKey("p", "K", "Ed25519", "t", time.Hour, 0))
	}
}

func TestWhatTheApplicationProvesItselfBy(t *testing.T) {
	nothing := detail()
	nothing.Secrets = nil
	for name, c := range map[string]struct {
		app                      models.ApplicationDetail
		lead, noSecret, codeLead string
		remove                   bool
	}{
		"secret": {detail(), "Keep the secret on your servers only.", "", "Your client ID is filled in. Copy also fills in the secret.", false},
		"both":   {detailWithKeys(), "Keep the secret on your servers only.", "", "Your client ID is filled in. Copy also fills in the secret.", true},
		"keys": {detailWithoutSecret(), "The client ID is no secret.", "This application has no client secret. It proves itself by its public keys.",
			"Your client ID is filled in. The program signs with its private key.", false},
		"nothing": {nothing, "The client ID is no secret.", "This application has no client secret and no public key, so no program can get a token.",
			"Your client ID is filled in. Add a public key first.", false},
	} {
		view := applicationViewAs(models.RoleOwner, c.app)
		card := view.Credentials
		if card.Lead != c.lead || card.NoSecret != c.noSecret || view.Code.Lead != c.codeLead || (card.RemoveHref != "") != c.remove {
			t.Errorf("%s: %+v, %q", name, card, view.Code.Lead)
		}
		signs := strings.Contains(sampleText(view.Code.Panel, "curl"), "client_assertion")
		if signs != (c.noSecret != "") || signs != (view.Code.Note != "") || signs != (card.RevealAction == "") || card.RotateHref == "" {
			t.Errorf("%s: samples sign: %v, note %q, reveal %q", name, signs, view.Code.Note, card.RevealAction)
		}
	}
}

func TestCreateOrRotate(t *testing.T) {
	for name, c := range map[string]struct {
		app     models.ApplicationDetail
		choices int
		hidden  string
	}{
		"rotate": {detailWithKeys(), 3, "replaces"},
		"create": {detailWithoutSecret(), 0, CreatesSecret},
	} {
		page := NewConfirmRotate(c.app, "", "o", nil, clock)
		if page.Creates != (c.choices == 0) || len(page.Choices) != c.choices || len(page.Hidden) != 2 || page.Hidden[1].Name != c.hidden {
			t.Errorf("%s: %+v", name, page)
		}
	}
}

func TestLastCredential(t *testing.T) {
	one := detailWithKeys()
	one.Keys = one.Keys[:1]
	last := one
	last.Secrets = nil
	for name, c := range map[string]struct {
		app  models.ApplicationDetail
		last bool
	}{"two keys and a secret": {detailWithKeys(), false}, "a key and a secret": {one, false}, "two keys": {detailWithoutSecret(), false}, "the last": {last, true}} {
		if got := NewConfirmRemoveKey(c.app, c.app.Keys[0].ClientKey, clock); (got.Last != "") != c.last {
			t.Errorf("%s: %q", name, got.Last)
		}
	}
}

func TestRemoveSecretSaysWhatWasUsed(t *testing.T) {
	app := detailWithKeys()
	app.Secrets = detailWithOldSecret().Secrets
	if got := NewConfirmRemoveSecret(app, clock); got.OldLast4 != "k8Tz" || got.SecretUsed.Text != "2 minutes ago" || got.KeyUsed.Text != "5 minutes ago" {
		t.Errorf("%+v", got)
	}
	app.Secrets, app.Keys = app.Secrets[:1], app.Keys[1:]
	app.Secrets[0].LastUsedAt = 0
	if got := NewConfirmRemoveSecret(app, clock); got.OldLast4 != "" || got.SecretUsed.Text != "Never" || got.KeyUsed.Text != "Never" {
		t.Errorf("%+v", got)
	}
}

func TestAssertionSamplesFitTheKey(t *testing.T) {
	for kind, want := range map[string][3]string{
		"Ed25519":        {`algorithm="EdDSA"`, "jwt.ParseEdPrivateKeyFromPEM", `"EdDSA"`},
		"EC, P-256":      {`algorithm="ES256"`, "jwt.SigningMethodES256", `alg: "ES256"`},
		"RSA, 3072 bits": {`algorithm="RS256"`, "jwt.SigningMethodRS256", `alg: "RS256"`},
	} {
		app := detailWithoutSecret()
		app.Keys = append(app.Keys, clientKey("p3", "New", kind, "t", time.Hour, 0))
		panel := assertionSamples("code", "http://127.0.0.1:8080", "THE_ID", algorithmOf(app.Keys), "THE_SCOPE")
		for i, lang := range []string{"python", "go", "javascript"} {
			text := sampleText(panel, lang)
			for _, need := range []string{want[i], "http://127.0.0.1:8080/oauth2/token", "THE_ID", "THE_SCOPE", "jwt-bearer"} {
				if !strings.Contains(text, need) {
					t.Errorf("%s, %s lacks %s", kind, lang, need)
				}
			}
			for _, left := range []string{"ALGORITHM", "GO_", "TOKEN_URL", "CLIENT_ID", `"SCOPE"`} {
				if strings.Contains(text, left) {
					t.Errorf("%s, %s still holds %s", kind, lang, left)
				}
			}
		}
	}
}

func TestColouredCodeIsTheSameCode(t *testing.T) {
	for _, code := range []string{"", `plain`, assertionCurl, assertionPython, assertionGo, assertionJavaScript} {
		var b strings.Builder
		for _, part := range coloured(code) {
			b.WriteString(part.Text)
		}
		if b.String() != code {
			t.Errorf("got\n%s\nwant\n%s", b.String(), code)
		}
	}
}
