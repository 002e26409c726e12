package models_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
)

const plaintext = "lk_at_canary_Zk3Q"

// holder has a secret in every place that printers and encoders look into.
type holder struct {
	Secret  models.Secret
	Pointer *models.Secret
	Any     any
	List    []models.Secret
	Map     map[string]models.Secret
	private models.Secret
}

func newHolder() holder {
	s := models.NewSecret(plaintext)
	return holder{s, &s, s, []models.Secret{s}, map[string]models.Secret{"a": s}, s}
}

func clean(t *testing.T, how, output string) {
	t.Helper()
	// Part of it is too much, and so is each encoding of fmt.
	for _, form := range []string{plaintext, "canary", fmt.Sprintf("%x", "canary"), fmt.Sprintf("%X", "canary"), "99 97 110"} {
		if strings.Contains(output, form) {
			t.Errorf("%s shows the value: %s", how, output)
		}
	}
}

// T3: plaintext cannot be printed by accident.
func TestSecretIsNotPrinted(t *testing.T) {
	s := models.NewSecret(plaintext)
	held := newHolder()
	for _, verb := range "vTtbcdoOqxXUeEfFgGspw" {
		for _, flags := range []string{"", "+", "#", " ", "-20", "020.3"} {
			format := "%" + flags + string(verb)
			for name, value := range map[string]any{"secret": s, "pointer": &s, "struct": held, "pointer to struct": &held, "list": []any{s}, "private": held.private} {
				clean(t, format+" of "+name, fmt.Sprintf(format, value))
			}
		}
	}
	if got := fmt.Sprintf("%s %q %v", s, s, s); got != "[secret] [secret] [secret]" {
		t.Errorf("got %s", got)
	}
	clean(t, "Sprint", fmt.Sprint(s, &s, held)+s.String())
}

// T3: no error holds it.
func TestSecretIsNotInErrors(t *testing.T) {
	s := models.NewSecret(plaintext)
	err := errors.Join(fmt.Errorf("refused %v: %w", s, models.ErrForbidden), fmt.Errorf("%+v", newHolder()))
	clean(t, "error", err.Error())
	_, err = models.AccountInput{Password: s}.Validate()
	clean(t, "validation", err.Error())
	clean(t, "input", fmt.Sprintf("%#v", models.AccountInput{Password: s}))
}

func TestSecretIsNotLogged(t *testing.T) { // A2
	s := models.NewSecret(plaintext)
	var out bytes.Buffer
	for name, handler := range map[string]slog.Handler{"text": slog.NewTextHandler(&out, nil), "json": slog.NewJSONHandler(&out, nil)} {
		out.Reset()
		log := slog.New(handler)
		log.Info("direct", "secret", s, "pointer", &s, slog.Any("any", s), slog.Group("group", "secret", s))
		log.With("secret", s).Warn("nested", "struct", newHolder(), "list", []models.Secret{s}, "map", map[string]any{"a": s})
		clean(t, "slog "+name, out.String())
		if strings.Count(out.String(), "[secret]") < 5 {
			t.Errorf("slog %s leaves out the secrets: %s", name, out.String())
		}
	}
}

func TestSecretIsNotEncoded(t *testing.T) {
	encoded, err := json.Marshal(newHolder())
	if err != nil {
		t.Fatal(err)
	}
	clean(t, "JSON", string(encoded))
	const want = `{"Secret":"[secret]","Pointer":"[secret]","Any":"[secret]","List":["[secret]"],"Map":{"a":"[secret]"}}`
	if string(encoded) != want {
		t.Errorf("got %s", encoded)
	}
	inXML, err := xml.Marshal(models.AccountInput{Password: models.NewSecret(plaintext)})
	if err != nil {
		t.Fatal(err)
	}
	clean(t, "XML", string(inXML))
	var page bytes.Buffer
	err = template.Must(template.New("").Parse(`<p title="{{.Secret}}">{{.Any}}</p><script>var a = {{.}}</script>`)).Execute(&page, newHolder())
	if err != nil {
		t.Fatal(err)
	}
	clean(t, "a template", page.String())
}

func TestSecretReveal(t *testing.T) {
	var zero models.Secret
	if !zero.IsEmpty() || zero.Reveal() != "" || zero.Last4() != "" || !models.NewSecret("").IsEmpty() {
		t.Error("the zero secret is not empty")
	}
	for value, last4 := range map[string]string{plaintext: "Zk3Q", "0123456789abcdef": "cdef", "0123456789abcde": "", "abcd": ""} {
		s := models.NewSecret(value)
		if s.IsEmpty() || s.Reveal() != value || s.Last4() != last4 {
			t.Errorf("%q gives %q and %q", value, s.Reveal(), s.Last4())
		}
	}
}
