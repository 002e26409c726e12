package main

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

const (
	ownerEmail    = "bench@northwind.example"
	ownerPassword = "correct horse 7 battery"
	// appName sorts after the names of fillApplications, so that the first page
	// of the list does not show the application that every token is made for.
	appName          = "Bench"
	liveTokens       = 1000
	applicationsPath = "/user/api_v2/applications"
)

// world is what was made through the product itself.
type world struct {
	cookie           string
	clientID, secret string
	serverID, server string // the resource server's credentials
	tokens           []string
}

// prepare makes an owner, an application and its tokens, and takes the figures
// that need no load.
func (l *lab) prepare(ctx context.Context) error {
	l.say("making an account, an application and %s tokens", thousands(liveTokens))
	if _, err := l.cli(ctx, ownerPassword, "user", "add", "--email", ownerEmail, "--name", "Bench", "--team", "Northwind", "--password-stdin"); err != nil {
		return err
	}
	if err := l.addServer(ctx); err != nil {
		return err
	}
	if err := l.startWeb(ctx, anyPort); err != nil {
		return err
	}
	if err := l.signIn(ctx); err != nil {
		return err
	}
	for range liveTokens {
		token, err := l.newToken(ctx)
		if err != nil {
			return err
		}
		l.world.tokens = append(l.world.tokens, token)
	}
	return l.takeFacts(ctx)
}

var issued = regexp.MustCompile(`client_id=(\S+)\s+client_secret=(\S+)`)

func (l *lab) addServer(ctx context.Context) error {
	out, err := l.cli(ctx, "", "resource-server", "add", "--name", "Bench")
	found := issued.FindStringSubmatch(out)
	if err == nil && found == nil {
		err = fmt.Errorf("web resource-server add prints no credentials: %q", out)
	}
	if err != nil {
		return err
	}
	l.world.serverID, l.world.server = found[1], found[2]
	return nil
}

// takeFacts measures what needs no load: the start, the memory of a server that
// nobody has asked anything, and the disk.
func (l *lab) takeFacts(ctx context.Context) error {
	l.say("measuring the start and the idle memory")
	if err := l.stopWeb(); err != nil {
		return err
	}
	err := l.measureStart(ctx)
	if err != nil {
		return err
	}
	if l.facts.synced, err = syncedWrite(l.path("data/synced")); err != nil {
		return err
	}
	if err := l.startWeb(ctx, anyPort); err != nil {
		return err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	l.facts.idle, err = l.web.memory("VmRSS")
	return err
}
