package secrets_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/secrets"
)

const (
	leaked     = "This password is on lists of leaked passwords. Choose another one."
	contextual = "Do not use your name, email, team or the word Latchkey as the password."
	sequence   = "Do not use one repeated character or a simple sequence as the password."
)

// S9: over 3,000 entries, each of which S8 alone would let through.
func TestLeakedList(t *testing.T) {
	list := secrets.LeakedPasswords()
	if len(list) <= 3000 {
		t.Errorf("%d entries", len(list))
	}
	if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Error("the list is not sorted, or has doubles")
	}
	for _, entry := range list {
		if models.CheckPasswordLength(models.NewSecret(entry)) != "" || entry != strings.ToLower(entry) {
			t.Errorf("entry %q can never be met", entry)
		}
		if secrets.CheckPassword(models.NewSecret(strings.ToUpper(entry))) != leaked {
			t.Errorf("entry %q is not found", entry)
		}
	}
}

// S8 S9: which passwords are refused, and with which sentence.
func TestCheckPassword(t *testing.T) {
	words := []string{"Rockets & Co", "Ana-María Ødegård", "ana.m@mail.example.com", "x", "", "849201847562"}
	for _, tt := range []struct{ password, want string }{
		{"", "Use at least 12 characters."},
		{"elevenchars", "Use at least 12 characters."},
		{strings.Repeat("ab c", 257), "Use at most 1,024 bytes."},
		{"bad\xffbytes here", "Use plain text: this holds bytes that are not characters."},

		{"password1234", leaked},
		{"PassWord1234", leaked},
		{"1qaz2wsx3edc", leaked},
		{"qwertyuiop123", leaked},
		{"Qwertyuiopasdfghjklzxcvbnm", leaked},
		{"leavemealone", leaked},
		{"password1234 ", ""},

		{strings.Repeat("a", 41), sequence},
		{"🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑", sequence},
		{"            ", sequence},
		{"abcdefghijklm", sequence},
		{"ZYXWVUTSRQPON", sequence},
		{"4567890123456", sequence},
		{"0987654321098", sequence},
		{"9012345678901", sequence},
		{"1098765432109", sequence},
		{"abcdefghijkm", ""},
		{"135791357913579", ""},
		{"ajajajajajajaj", ""},

		{"latchkeylatchkey", contextual},
		{"LatchKey-2026!", contextual},
		{"!!1234latchkey", contextual},
		{"l.a.t.c.h.k.e.y", contextual},
		{"RocketsLatchkey", contextual},
		{"rockets&co2026", contextual},
		{"ana maría ødegård", contextual},
		{"ANA MARÍA ØDEGÅRD", contextual},
		{"anaanaanaana", contextual},
		{"example.com-ana", contextual},
		{"ana.m@mail.example.com", contextual},
		{"mail2mail2mail2", contextual},
		{"849201847562", contextual},

		{"latchkeys for all", ""},
		{"my rockets fly", ""},
		{"849201847563", ""},
		{"x-x-x-x-x-x-x-y", ""},
		{"correct horse battery staple", ""},
		{"ein Pferd frißt keinen Gurkensalat", ""},
		{"密码密码很长很长的密码啊", ""},
		{strings.Repeat("latchkey", 128), contextual},
		{strings.Repeat("latchkey", 127) + "latchke", ""},
	} {
		if got := secrets.CheckPassword(models.NewSecret(tt.password), words...); got != tt.want {
			t.Errorf("%.40q: %q, want %q", tt.password, got, tt.want)
		}
	}
}

// S9: without words the product's name still counts.
func TestCheckPasswordWithoutWords(t *testing.T) {
	for password, want := range map[string]string{"latchkey12345": contextual, "rocketsrockets": "", "849201847562": ""} {
		if got := secrets.CheckPassword(models.NewSecret(password)); got != want {
			t.Errorf("%q: %q, want %q", password, got, want)
		}
	}
}
