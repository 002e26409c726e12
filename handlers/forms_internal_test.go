package handlers

import (
	"net/url"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
)

// FuzzForms reads any form body: nothing that comes out of it breaks the bounds.
func FuzzForms(f *testing.F) {
	for _, seed := range []string{"name=Bot&lifespan=3600", "name=&lifespan=custom&custom=90&unit=60", "lifespan=custom&custom=9223372036854775807&unit=86400", "name=%00&scopes=a&scopes=b", "lifespan=1e9&once=x", "a;b=%zz"} {
		f.Add(seed)
	}
	limits := models.Limits{MaxLifespan: 86400, Scopes: []string{"api", "reports"}}
	f.Fuzz(func(t *testing.T, body string) {
		fields, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		values, err := applicationForm(fields).Input().Validate(limits)
		if err == nil && (values.Lifespan < models.MinLifespan || values.Lifespan > limits.MaxLifespan || values.Name == "" || len([]rune(values.Name)) > models.MaxName) {
			t.Errorf("accepted %+v", values)
		}
		token, err := tokenForm(fields).Input().Validate(3600)
		if err == nil && token.Lifespan != 0 && (token.Lifespan < models.MinLifespan || token.Lifespan > 3600) {
			t.Errorf("accepted %+v", token)
		}
	})
}

// FuzzLocalPath checks that no address leads off this site (P8).
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/", "//evil", "/\\evil", "/%2f%2fevil", "/a?next=//b", "https://evil", "/\x00", "/%5c%5cevil", "/%5cevil", "/.//evil", "/..//evil", "/%2e%2e//evil", "/\t/evil", "/%09/evil", "/a/../..//evil", "http:evil", "/@evil", "/user/profile?next=//evil", "/\u2044evil", "/%2F%2F%2Fevil"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := localPath(path)
		base, _ := url.Parse("https://account.example.com/login")
		target, err := base.Parse(got)
		if err != nil || target.Host != base.Host || target.Scheme != base.Scheme || strings.ContainsAny(got, "\r\n\\") {
			t.Errorf("%q leads to %q (%v)", path, got, err)
		}
	})
}
