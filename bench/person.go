package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

var copied = regexp.MustCompile(`data-copy="([0-9a-f-]{36})"`)

// signIn signs in by the form, creates an application by the form and asks for
// its secret, as a person does.
func (l *lab) signIn(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	person := &http.Client{Jar: jar, Timeout: patience}
	got, err := l.post(ctx, person, "/login", url.Values{"email": {ownerEmail}, "password": {ownerPassword}}, nil)
	if err != nil || got.path != applicationsPath {
		return fmt.Errorf("signing in: %d on %s: %w", got.status, got.path, orUnexpected(err))
	}
	base, err := url.Parse(l.web.base)
	if err != nil {
		return err
	}
	for _, cookie := range jar.Cookies(base) {
		l.world.cookie += cookie.Name + "=" + cookie.Value + "; "
	}
	l.world.cookie = strings.TrimSuffix(l.world.cookie, "; ")
	got, err = l.post(ctx, person, applicationsPath, url.Values{"name": {appName}, "lifespan": {"86400"}}, nil)
	id := copied.FindStringSubmatch(got.body)
	if err != nil || id == nil {
		return fmt.Errorf("creating an application: %d on %s: %w", got.status, got.path, orUnexpected(err))
	}
	l.world.clientID = id[1]
	var revealed struct{ Value string }
	got, err = l.post(ctx, person, got.path+"/secret/reveal", nil, http.Header{"Accept": {"application/json"}})
	if err == nil {
		err = json.Unmarshal([]byte(got.body), &revealed)
	}
	l.world.secret = revealed.Value
	if err != nil || l.world.secret == "" {
		return fmt.Errorf("asking for the client secret: %d: %w", got.status, orUnexpected(err))
	}
	return nil
}

func (l *lab) newToken(ctx context.Context) (string, error) {
	got, err := http1(ctx, &http.Client{Timeout: patience}, l.web.base, l.tokenRequest())
	if err != nil {
		return "", err
	}
	return tokenOf(got)
}
