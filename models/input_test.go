package models_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
)

// badFields returns the fields that an error names, "" for no error.
func badFields(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var fields models.FieldErrors
	if !errors.As(err, &fields) || len(fields) == 0 {
		t.Fatalf("got %v, want field errors", err)
	}
	for field, sentence := range fields {
		if !strings.HasSuffix(sentence, ".") {
			t.Errorf("field %s has no sentence: %q", field, sentence)
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(fields)), " ")
}

func TestApplicationInput(t *testing.T) {
	limits := models.Limits{MaxLifespan: 86400, Scopes: []string{"api", "stream"}}
	for _, test := range []struct {
		what string
		in   models.ApplicationInput
		want models.ApplicationValues
		bad  string
	}{
		{"the first scope is the default", models.ApplicationInput{Name: " Bot ", Lifespan: " 3600 "}, models.ApplicationValues{Name: "Bot", Lifespan: 3600, Scopes: "api"}, ""},
		{"chosen scopes", models.ApplicationInput{Name: "Bot", Lifespan: "60", Scopes: []string{"api", "stream"}}, models.ApplicationValues{Name: "Bot", Lifespan: 60, Scopes: "api stream"}, ""},
		{"only another scope", models.ApplicationInput{Name: "Bot", Lifespan: "86400", Scopes: []string{"stream"}}, models.ApplicationValues{Name: "Bot", Lifespan: 86400, Scopes: "stream"}, ""},
		{"one scope twice", models.ApplicationInput{Name: "Bot", Lifespan: "60", Scopes: []string{"api", "api"}}, models.ApplicationValues{Name: "Bot", Lifespan: 60, Scopes: "api"}, ""},
		{"over the operator's maximum", models.ApplicationInput{Name: "Bot", Lifespan: "86401"}, models.ApplicationValues{}, "lifespan"}, // T5
		{"never", models.ApplicationInput{Name: "Bot", Lifespan: "0"}, models.ApplicationValues{}, "lifespan"},                           // T5
		{"empty name", models.ApplicationInput{Lifespan: "60"}, models.ApplicationValues{}, "name"},
		{"unknown scope", models.ApplicationInput{Name: "Bot", Lifespan: "60", Scopes: []string{"api", "admin"}}, models.ApplicationValues{}, "scopes"}, // O6
		{"empty scope", models.ApplicationInput{Name: "Bot", Lifespan: "60", Scopes: []string{""}}, models.ApplicationValues{}, "scopes"},
		{"two scopes in one", models.ApplicationInput{Name: "Bot", Lifespan: "60", Scopes: []string{"api stream"}}, models.ApplicationValues{}, "scopes"},
		{"all wrong at once", models.ApplicationInput{Name: "\x00", Lifespan: "soon", Scopes: []string{"x"}}, models.ApplicationValues{}, "lifespan name scopes"},
	} {
		got, err := test.in.Validate(limits)
		if bad := badFields(t, err); bad != test.bad {
			t.Errorf("%s: wrong fields %q, want %q", test.what, bad, test.bad)
		}
		if err == nil && got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.what, got, test.want)
		}
	}
}

func TestTokenInput(t *testing.T) {
	for _, test := range []struct {
		what string
		in   models.TokenInput
		want models.TokenValues
		bad  string
	}{
		{"both left empty", models.TokenInput{}, models.TokenValues{}, ""},
		{"both", models.TokenInput{Name: " CI ", Lifespan: "60"}, models.TokenValues{Name: "CI", Lifespan: 60}, ""},
		{"blank", models.TokenInput{Name: "  ", Lifespan: "  "}, models.TokenValues{}, ""},
		{"as long as the application's", models.TokenInput{Lifespan: "3600"}, models.TokenValues{Lifespan: 3600}, ""},
		{"longer than the application's", models.TokenInput{Lifespan: "3601"}, models.TokenValues{}, "lifespan"}, // T5
		{"zero", models.TokenInput{Lifespan: "0"}, models.TokenValues{}, "lifespan"},
		{"long name", models.TokenInput{Name: strings.Repeat("a", 65)}, models.TokenValues{}, "name"},
		{"both wrong", models.TokenInput{Name: rtlOverride, Lifespan: "1e9"}, models.TokenValues{}, "lifespan name"},
	} {
		got, err := test.in.Validate(3600)
		if bad := badFields(t, err); bad != test.bad {
			t.Errorf("%s: wrong fields %q, want %q", test.what, bad, test.bad)
		}
		if err == nil && got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.what, got, test.want)
		}
	}
}

func TestAccountInput(t *testing.T) {
	good := models.AccountInput{Name: " Ana ", Email: " Ana@Example.com ", Password: models.NewSecret("correct horse battery"), Team: " Northwind "}
	got, err := good.Validate()
	if err != nil || got.Name != "Ana" || got.Email != "Ana@Example.com" || got.Team != "Northwind" || got.Password.Reveal() != "correct horse battery" {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = models.AccountInput{}.Validate()
	if bad := badFields(t, err); bad != "email name password team" {
		t.Errorf("an empty form has wrong fields %q", bad)
	}
	_, errs := models.AccountInput{}.ValidateWithoutPassword()
	if bad := badFields(t, errs.OrNil()); bad != "email name team" {
		t.Errorf("without a password, an empty form has wrong fields %q", bad)
	}
	spaced := good
	spaced.Password = models.NewSecret("   twelve   ")
	if got, err = spaced.Validate(); err != nil || got.Password.Reveal() != "   twelve   " {
		t.Errorf("a password is trimmed or refused: %v", err)
	}
}

func TestFieldErrors(t *testing.T) {
	if err := (models.FieldErrors{}).OrNil(); err != nil {
		t.Errorf("no wrong field gives %v", err)
	}
	err := models.FieldErrors{"name": "Enter a name.", "email": "Enter an email address."}.OrNil()
	if err == nil || err.Error() != "email: Enter an email address.; name: Enter a name." {
		t.Errorf("got %v", err)
	}
}
