package main

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
)

func checkHello(got answer) error {
	if got.status != http.StatusOK || got.body != "hello" {
		return wrong(got)
	}
	return nil
}

func checkToken(got answer) error {
	_, err := tokenOf(got)
	return err
}

// tokenOf reads the answer of the token endpoint.
func tokenOf(got answer) (string, error) {
	var body struct {
		Token     string `json:"access_token"`
		Type      string `json:"token_type"`
		ExpiresIn int64  `json:"expires_in"`
	}
	err := json.Unmarshal([]byte(got.body), &body)
	if err != nil || got.status != http.StatusOK || body.Token == "" || !strings.EqualFold(body.Type, "bearer") || body.ExpiresIn <= 0 {
		return "", wrong(got)
	}
	return body.Token, nil
}

func (l *lab) checkVerify(got answer) error {
	if got.status != http.StatusOK || got.header.Get("X-Latchkey-Client-Id") != l.world.clientID {
		return wrong(got)
	}
	return nil
}

func (l *lab) checkIntrospect(got answer) error {
	var body struct {
		Active   bool
		ClientID string `json:"client_id"`
	}
	err := json.Unmarshal([]byte(got.body), &body)
	if err != nil || got.status != http.StatusOK || !body.Active || body.ClientID != l.world.clientID {
		return wrong(got)
	}
	return nil
}

var rowName = regexp.MustCompile(`Application \d{5}`)

// checkApplications wants the page of the person who signed in, with 25
// different applications on it.
func checkApplications(got answer) error {
	page := got.body
	if got.header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(strings.NewReader(page))
		if err != nil {
			return err
		}
		text, err := io.ReadAll(io.LimitReader(unpacked, 4<<20))
		if err != nil {
			return err
		}
		page = string(text)
	}
	shown := map[string]bool{}
	for _, name := range rowName.FindAllString(page, -1) {
		shown[name] = true
	}
	if got.status != http.StatusOK || got.path != applicationsPath || len(shown) != 25 {
		return wrong(got)
	}
	return nil
}
