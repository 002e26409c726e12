package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
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
	if err := l.optional(ctx); err != nil {
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
	if err := l.probeIntrospection(ctx); err != nil {
		return err
	}
	return l.takeFacts(ctx)
}

var issued = regexp.MustCompile(`client_id=(\S+)\s+client_secret=(\S+)`)

// optional finds out whether the commands are there that came late.
func (l *lab) optional(ctx context.Context) error {
	out, err := l.cli(ctx, "", "resource-server", "add", "--name", "Bench")
	if found := issued.FindStringSubmatch(out); found != nil {
		l.world.serverID, l.world.server = found[1], found[2]
	} else if err == nil {
		err = fmt.Errorf("web resource-server add prints no credentials: %q", out)
	}
	if err := l.lacks(needsIntrospection, err); err != nil {
		return err
	}
	_, err = l.cli(ctx, "", "purge")
	return l.lacks(needsPurge, err)
}

func (l *lab) probeIntrospection(ctx context.Context) error {
	e, err := l.endpoint("introspect")
	if err != nil || l.absent[needsIntrospection] != "" {
		return err
	}
	_, err = l.checkOne(ctx, l.web, e, e.requests[0])
	return l.lacks(needsIntrospection, err)
}

// lacks notes that something is not there, and fails where a row needs it.
func (l *lab) lacks(what string, err error) error {
	if err == nil {
		return nil
	}
	l.absent[what] = strings.TrimSpace(err.Error())
	for _, s := range stages(l.options) {
		for _, name := range s.endpoints {
			needed := what == needsIntrospection && name == "introspect" || what == needsPurge && s.purging
			if needed && l.wants(s.name, name) && !l.lenient {
				return err
			}
		}
	}
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
