package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"

	"github.com/latchkey/latchkey/mail"
	"github.com/latchkey/latchkey/models"
)

func checkMail(ctx context.Context, d doctor, say func(verdict, string)) {
	server := d.config.Mail
	if server.Host == "" {
		say(fine, "none is set: links are shown, to be sent by hand")
		return
	}
	if err := mail.Check(ctx, server); err != nil {
		say(wrong, server.String()+": "+err.Error())
		return
	}
	signedIn := ""
	if server.User != "" {
		signedIn = ", and lets Latchkey sign in"
	}
	say(fine, fmt.Sprintf("%s answers (%s)%s; no mail was sent", server, server.Security, signedIn))
}

func checkOpenID(ctx context.Context, d doctor, say func(verdict, string)) {
	client := d.config.openIDProvider()
	if client == nil {
		return
	}
	if err := client.Check(ctx); err != nil {
		say(wrong, d.config.OIDC.Issuer+": "+err.Error())
		return
	}
	say(fine, d.config.OIDC.Issuer+" says how to sign in there")
}

// checkUpstreams connects to each API once, and with TLS where its address says so. It
// sends no request.
func checkUpstreams(ctx context.Context, d doctor, say func(verdict, string)) {
	problems := make([]string, len(d.config.Upstreams))
	var all sync.WaitGroup
	for i, route := range d.config.Upstreams {
		all.Go(func() {
			if err := reach(ctx, route, d.config); err != nil {
				problems[i] = why(err)
			}
		})
	}
	all.Wait()
	for i, route := range d.config.Upstreams {
		name := fmt.Sprintf("%s, %s://%s", route.Path, route.Target.Scheme, route.Target.Host)
		if problems[i] != "" {
			say(wrong, name+": "+problems[i])
		} else {
			say(fine, name+" can be reached")
		}
	}
}

func reach(ctx context.Context, route models.Upstream, config Config) error {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	dialer := &net.Dialer{}
	conn, err := dialer.DialContext(ctx, "tcp", hostPort(route.Target))
	if err != nil {
		return err
	}
	defer conn.Close()
	if route.Target.Scheme != "https" {
		return nil
	}
	return tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.UpstreamCAs, ServerName: route.Target.Hostname()}).HandshakeContext(ctx)
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
