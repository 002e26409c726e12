package models_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
)

func TestCheckEmail(t *testing.T) {
	const suchAs = "Enter an email address such as ana@example.com."
	const plain = "Use the letters a to z, and for a domain with others its form that begins with xn--. Look-alike letters are not taken."
	for _, test := range []struct{ raw, email, problem string }{
		{"ana@example.com", "ana@example.com", ""},
		{"  Ana.Costa+ci@Example.com\n", "Ana.Costa+ci@Example.com", ""},
		{"ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example", ""},
		{"ana@bücher.example", "", plain},
		{"\u0430na@example.com", "", plain}, // a Cyrillic a
		{"an\uff41@example.com", "", plain}, // a wide one
		{"ana@example\u3002com", "", plain}, // an ideographic full stop
		{"m\u0131a@example.com", "", plain}, // a dotless i
		{"\u212aim@example.com", "", plain}, // the sign of Kelvin
		{"", "", "Enter an email address."},
		{"  ", "", "Enter an email address."},
		{"ana", "", suchAs},
		{"ana@", "", suchAs},
		{"@example.com", "", suchAs},
		{"ana@example.com, eve@example.com", "", suchAs},
		{"Ana <ana@example.com>", "", suchAs},
		{"<ana@example.com>", "", suchAs},
		{"ana@example.com (Ana)", "", suchAs},
		{"ana@@example.com", "", suchAs},
		{"ana costa@example.com", "", suchAs},
		{"ana@exam\r\nple.com", "", suchAs}, // G8
		{"ana@example.com\r\nBcc: eve@example.com", "", suchAs},
		{"ana\x00@example.com", "", suchAs},
		{"ana" + rtlOverride + "@example.com", "", suchAs},
		{"ana\xff@example.com", "", suchAs},
		{strings.Repeat("a", 242) + "@example.com", strings.Repeat("a", 242) + "@example.com", ""}, // 254 bytes
		{strings.Repeat("a", 243) + "@example.com", "", suchAs},
		{strings.Repeat("a", 10_000) + "@example.com", "", suchAs},
	} {
		email, problem := models.CheckEmail(test.raw)
		if email != test.email || problem != test.problem {
			t.Errorf("%.40q: got %q, %q, want %q, %q", test.raw, email, problem, test.email, test.problem)
		}
	}
}

func TestCheckPasswordLength(t *testing.T) {
	const short, long = "Use at least 12 characters.", "Use at most 1,024 bytes."
	for _, test := range []struct{ what, password, problem string }{
		{"none", "", short},
		{"11 letters", strings.Repeat("a", 11), short},
		{"12 letters", strings.Repeat("a", 12), ""},
		{"11 emoji, 44 bytes", strings.Repeat("🔑", 11), short},
		{"12 emoji", strings.Repeat("🔑", 12), ""},
		{"12 spaces", strings.Repeat(" ", 12), ""},
		{"1,024 bytes", strings.Repeat("a", 1024), ""},
		{"1,025 bytes", strings.Repeat("a", 1025), long},
		{"1,024 bytes of emoji", strings.Repeat("🔑", 256), ""},
		{"1,028 bytes of emoji", strings.Repeat("🔑", 257), long},
		{"10 kB", strings.Repeat("a", 10_000), long},
		{"not UTF-8", strings.Repeat("\xff", 12), notText},
	} {
		if problem := models.CheckPasswordLength(models.NewSecret(test.password)); problem != test.problem {
			t.Errorf("%s: got %q, want %q", test.what, problem, test.problem)
		}
	}
}

func TestRoleMay(t *testing.T) {
	permissions := []models.Permission{models.MayView, models.MayManage, models.MayReveal, models.MayOwn, "", "other"}
	for role, want := range map[models.Role][]bool{
		models.RoleOwner:     {true, true, true, true, false, false},
		models.RoleDeveloper: {true, true, true, false, false, false},
		models.RoleViewer:    {true, false, false, false, false, false},
		"":                   {false, false, false, false, false, false},
		"OWNER":              {false, false, false, false, false, false},
		"operator":           {false, false, false, false, false, false},
	} {
		for i, permission := range permissions {
			if role.May(permission) != want[i] {
				t.Errorf("role %q, permission %q: got %v", role, permission, !want[i])
			}
		}
	}
	titles := ""
	for _, role := range models.Roles {
		titles += role.Title() + " "
	}
	if titles != "Owner Developer Viewer " || models.Role("x").Title() != "No role" {
		t.Errorf("got titles %q", titles)
	}
}

// Accounts made before look-alike letters were refused are found all the same.
func TestParseEmailOfOldAccounts(t *testing.T) {
	if email, problem := models.ParseEmail(" ana@bücher.example"); email != "ana@bücher.example" || problem != "" {
		t.Errorf("got %q, %q", email, problem)
	}
}

// Two addresses that look the same in ASCII differ by case alone, which the key folds.
func TestEmailKeyFoldsCase(t *testing.T) {
	same := models.EmailKey("ana@example.com")
	for _, raw := range []string{"ANA@example.com", " Ana@EXAMPLE.com ", "ana@example.COM"} {
		if models.EmailKey(raw) != same {
			t.Errorf("%q is another address", raw)
		}
	}
	if models.EmailKey("an.a@example.com") == same {
		t.Error("dots are left out")
	}
}

func TestInvitationInput(t *testing.T) {
	got, err := models.InvitationInput{Email: " Sam@Example.com ", Role: "viewer"}.Validate()
	if err != nil || got.Email != "Sam@Example.com" || got.EmailKey != models.EmailKey("sam@example.com") || got.Role != models.RoleViewer {
		t.Errorf("%+v, %v", got, err)
	}
	for _, role := range []string{"", "Owner", "admin", "operator"} {
		_, err := models.InvitationInput{Email: "sam@example.com", Role: role}.Validate()
		var errs models.FieldErrors
		if !errors.As(err, &errs) || len(errs) != 1 || errs["role"] != "Choose one of the roles shown." {
			t.Errorf("role %q: %v", role, err)
		}
	}
}
