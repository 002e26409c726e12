package mail

import (
	"context"

	gomail "github.com/wneessen/go-mail"
)

// Check connects to the server, with TLS where the settings want it, signs in, and
// leaves. It sends no mail. Without a server it does nothing.
func Check(ctx context.Context, server Server) error {
	if server.Host == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, usualPace.step)
	defer cancel()
	a := &attempt{Mailer: &Mailer{server: server, pace: usualPace}, whole: ctx}
	client, err := gomail.NewClient(server.Host, a.options()...)
	if err != nil {
		return &failure{stage: "the mail server's settings are not usable", final: true}
	}
	defer a.close()
	if err := client.DialWithContext(ctx); err != nil {
		return a.failed(err).quoted()
	}
	_ = client.Close() // it is gone either way
	return nil
}
