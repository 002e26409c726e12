package handlers

import (
	"net/http"
	"testing"
)

// The page that asks for a proof names what it is for, whatever that is.
func TestEveryFreshDeedIsNamed(t *testing.T) {
	named := map[string]bool{}
	for _, route := range (&Handlers{}).Table() {
		if route.Fresh && route.Method == http.MethodPost {
			named[route.Path] = true
			if deedWords[route.Path] == "" {
				t.Errorf("POST %s has no words", route.Path)
			}
		}
	}
	for path := range deedWords {
		if !named[path] {
			t.Errorf("%s is no Fresh deed", path)
		}
	}
}
