package models_test

import (
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
)

func TestNewcomersAreOfTheDomainsAlone(t *testing.T) { // S21
	rule := models.Newcomers{Domains: []string{"northwind.example", "kite.example"}}
	for email, want := range map[string]bool{
		"ana@northwind.example":               true,
		"Ana@NorthWind.Example":               true,
		"ana@kite.example":                    true,
		"ana@\u212Aite.example":               false, // the Kelvin sign folds into k
		"ana@northwind.example.evil.example":  false,
		"ana@sub.northwind.example":           false,
		"ana@notnorthwind.example":            false,
		"ana@northwind.example.":              false,
		"ana@northwind.example@evil.example":  false,
		"northwind.example":                   false,
		"ana@":                                false,
		"":                                    false,
		"ana@northwind.example ":              false,
		"ana@n\u043erthwind.example":          false, // a Cyrillic o
		"ana@northwind.example\u200b":         false,
		"\"@northwind.example\"@evil.example": false,
	} {
		if got := rule.Admits(email); got != want {
			t.Errorf("%q: %v", email, got)
		}
	}
	if (models.Newcomers{}).Admits("ana@northwind.example") {
		t.Error("without domains somebody is let in")
	}
}

func TestNewcomersName(t *testing.T) {
	for given, want := range map[string]string{
		"Ana Ruiz": "Ana Ruiz", "  ": "ana", "\u202eevil": "ana", strings.Repeat("x", 70): strings.Repeat("x", 64),
	} {
		if got := models.NewcomersName(given, "ana@northwind.example"); got != want {
			t.Errorf("%q: %q", given, got)
		}
	}
	if got := models.NewcomersName("", "@x"); got != "New member" {
		t.Errorf("%q", got)
	}
}
