package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/models"
)

// S2: an ID that the client chose, or had before, is never taken up.
func TestSessionFixation(t *testing.T) {
	s, ana, b := profiled(t)
	eve := s.signedIn(t, s.member(t, "northwind", "eve", models.RoleViewer))
	for name, planted := range map[string]string{
		"made up": "chosen-by-the-attacker", "of somebody else": eve.cookie("latchkey_session").Value, "ended": b.cookie("latchkey_session").Value,
	} {
		if name == "ended" {
			b.post("/logout")
		}
		victim := s.browser(t)
		got := victim.do(http.MethodPost, "/login", values("email", ana.Email, "password", password), http.Header{"Cookie": {"latchkey_session=" + planted}})
		if got.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %s", name, got.Status)
		}
		fresh := victim.cookie("latchkey_session").Value
		if fresh == planted {
			t.Errorf("%s: the planted ID was taken up", name)
		}
		replay := s.browser(t).do(http.MethodGet, profilePage, nil, http.Header{"Cookie": {"latchkey_session=" + planted}})
		if strings.Contains(replay.body, ana.Email) || replay.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: the planted ID is signed in: %s", name, replay.Status)
		}
	}
}

// S3: whatever ended a session, its cookie gets the sign-in page.
func TestReplayedCookies(t *testing.T) {
	for what, end := range map[string]func(s *site, ana models.Actor, b *browser){
		"sign-out": func(_ *site, _ models.Actor, b *browser) { b.post("/logout") },
		"a new password here": func(_ *site, _ models.Actor, b *browser) {
			b.post(profilePage+"/password", "current", password, "new_password", newPassword)
		},
		"a new email here": func(_ *site, _ models.Actor, b *browser) {
			b.post(profilePage+"/email", "email", "new@b.example", "password", password)
		},
		"a confirmation":  func(_ *site, _ models.Actor, b *browser) { b.post("/confirm", "password", password) },
		"another session": func(s *site, ana models.Actor, _ *browser) { s.signedIn(t, ana).post(profilePage + "/sessions/end") },
		"a new password there": func(s *site, ana models.Actor, _ *browser) {
			s.signedIn(t, ana).post(profilePage+"/password", "current", password, "new_password", newPassword)
		},
		"a disabled account": func(s *site, _ models.Actor, _ *browser) { disable(t, s, "ana") },
		"the command line": func(s *site, ana models.Actor, _ *browser) {
			_ = s.db.SetPassword(t.Context(), models.CommandLine, ana.Email, passwordHash())
		},
		"signing in once more": func(_ *site, ana models.Actor, b *browser) { b.signIn(ana.Email, password) },
	} {
		t.Run(what, func(t *testing.T) {
			s, ana, b := profiled(t)
			cookie := http.Header{"Cookie": {"latchkey_session=" + b.cookie("latchkey_session").Value}}
			if got := s.browser(t).do(http.MethodGet, profilePage, nil, cookie); got.StatusCode != http.StatusOK {
				t.Fatalf("before: %s", got.Status)
			}
			end(s, ana, b)
			for _, path := range []string{profilePage, "/user/api_v2/applications"} {
				if got := s.browser(t).do(http.MethodGet, path, nil, cookie); !strings.HasPrefix(got.to(), "/login?next=") {
					t.Errorf("%s: %s to %q", path, got.Status, got.to())
				}
			}
		})
	}
}

// P8: no address leads off this site, after signing in, confirming or a new theme.
func TestOpenRedirects(t *testing.T) {
	s, ana, b := profiled(t)
	for _, evil := range []string{
		"//evil.example", "/\\evil.example", "https://evil.example", "///evil.example", "/%2fevil.example", "/%5cevil.example", "\t//evil.example", "/\t/evil.example",
		"javascript:alert(1)", "evil.example", "/%0d%0aLocation:%20//evil.example", "http:evil.example", "@evil.example", "", "/" + strings.Repeat("a", 3000),
	} {
		signIn := s.browser(t).post("/login", "email", ana.Email, "password", password, "next", evil).to()
		confirm := b.post("/confirm", "password", password, "next", evil).to()
		theme := b.post("/theme", "theme", "dark", "return", evil).to()
		for _, got := range []string{signIn, confirm, theme, b.get("/login?next=" + url.QueryEscape(evil)).to()} {
			if got != "/user/api_v2/applications" {
				t.Errorf("%q leads to %q", evil, got)
			}
		}
	}
}
