package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoPlaintextIsLeft goes through everything that has to do with secrets and
// then looks for each of them in the files and the output of the program.
func TestNoPlaintextIsLeft(t *testing.T) {
	s := start(t)
	ana := newClient(t, s.base)
	_, code, _ := strings.Cut(s.setupURL, "code=")
	secrets := map[string]string{"the password": password, "a wrong password": "wrong horse 1 staple", "the setup code": code}

	ana.deed("/setup", url.Values{"code": {code}, "name": {"Ana Ruiz"}, "email": {ownerEmail}, "team": {"Northwind"}, "password": {password}})
	ana.post("/logout", nil)
	ana.post("/login", url.Values{"email": {ownerEmail}, "password": {secrets["a wrong password"]}})
	ana.deed("/login", url.Values{"email": {ownerEmail}, "password": {password}})
	ana.deed("/confirm", url.Values{"password": {password}, "next": {applications}})
	addCookies(t, ana, secrets)

	app := ana.create("Trading bot")
	clientID := ana.clientIDOf(app)
	secrets["the old client secret"] = ana.reveal(app + "/secret")
	ana.deed(app+"/secret", url.Values{"overlap": {"3600"}})
	secrets["the client secret"] = ana.reveal(app + "/secret")
	token := ana.generate(app, "laptop")
	secrets["a manual token"] = ana.reveal(token)
	ana.post(token+"/reveal", nil) // the page, too
	secrets["an issued token"], _ = ana.newToken(clientID, secrets["the client secret"])
	ana.newToken(clientID, secrets["the old client secret"])
	ana.newToken(clientID, "x"+secrets["the client secret"])
	ana.get("/oauth2/token?client_secret=" + secrets["the client secret"])
	for _, name := range []string{"a manual token", "an issued token"} {
		ana.wantGood(secrets[name])
		ana.get("/oauth2/verify?access_token=" + secrets[name])
		ana.get("/nowhere?token=" + secrets[name])
		ana.wantRefused(secrets[name] + "x")
		ana.post(checkPage, url.Values{"value": {"Bearer " + secrets[name]}})
	}
	ana.deed(token+"/revoke", nil)
	ana.wantRefused(secrets["a manual token"])
	eventually(t, func() string {
		if number(t, s.dir, "SELECT COUNT(*) FROM refused_calls WHERE team_id <> ''") == 0 {
			return "the refused call is not kept"
		}
		return ""
	})

	eventually(t, func() string {
		if !strings.Contains(s.Stderr.String(), "/oauth2/verify") {
			return "the requests are not in the log: " + s.Stderr.String()
		}
		return ""
	})
	lookFor(t, s, secrets)
	s.Stop()
	lookFor(t, s, secrets)
	ended := startIn(t, s.dir) // and the program that finds a user prints no code
	lookFor(t, ended, secrets)
}

// addCookies adds what the browser holds, and the ID that is signed in it.
func addCookies(t testing.TB, c *client, secrets map[string]string) {
	t.Helper()
	base, err := url.Parse(c.base)
	must(t, err)
	for _, cookie := range c.http.Jar.Cookies(base) {
		secrets["the cookie "+cookie.Name] = cookie.Value
		outer, err := base64.URLEncoding.DecodeString(cookie.Value)
		must(t, err)
		inner, err := base64.URLEncoding.DecodeString(strings.Split(string(outer), "|")[1])
		must(t, err)
		var id string
		must(t, gob.NewDecoder(bytes.NewReader(inner)).Decode(&id))
		secrets["the ID in the cookie "+cookie.Name] = id
	}
}

// lookFor searches all that the program has written. The setup code may stand
// on stdout, where it is meant to be read.
func lookFor(t testing.TB, s *server, secrets map[string]string) {
	t.Helper()
	written := map[string]string{"stdout": s.Stdout.String(), "stderr": s.Stderr.String()}
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	must(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		must(t, err)
		written[filepath.Base(file)] = string(content)
	}
	if len(files) < 2 {
		t.Errorf("there is not enough to search: %v", files)
	}
	if !strings.Contains(written["latchkey.db"]+written["latchkey.db-wal"], ownerEmail) {
		t.Error("the search does not find what is there")
	}
	for what, secret := range secrets {
		if len(secret) < 12 {
			t.Errorf("%s is too short to look for: %q", what, secret)
		}
		for where, content := range written {
			if what == "the setup code" && where == "stdout" {
				continue
			}
			if strings.Contains(content, secret) || strings.Contains(content, url.QueryEscape(secret)) {
				t.Errorf("%s stands in %s", what, where)
			}
		}
	}
}
