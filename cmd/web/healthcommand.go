package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/urfave/cli/v3"
)

func (p *program) healthCommand() *cli.Command {
	return &cli.Command{
		Name: "health", Usage: "ask the server on this machine whether it lives, for the health check of a container", Action: p.health,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "ready", Usage: "ask whether it is ready for requests: its database answers, and no stop was asked for"}},
	}
}

// health asks for life unless told otherwise: what runs a container ends one that is not
// healthy, and a database that is away does not come back by that.
func (p *program) health(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	config, err := readConfig(cmd)
	if err != nil {
		return err
	}
	if cmd.Bool("ready") {
		return p.ready(ctx, config)
	}
	got, err := fetch(ctx, "http://"+dialable(config.Addr)+healthPath, "")
	switch {
	case err != nil:
		return fmt.Errorf("nothing serves at %s, start it or correct LATCHKEY_ADDR: %s", config.Addr, why(err))
	case got.status == http.StatusOK && got.text == alive, got.wantsTLS():
		return p.print("Latchkey serves at " + config.Addr + ".")
	}
	return errors.New("what answers at " + config.Addr + " is not Latchkey: stop it, or correct LATCHKEY_ADDR")
}

// ready asks on the address of the metrics where there is one: it says what is wrong.
func (p *program) ready(ctx context.Context, config Config) error {
	base, at := "http://"+dialable(config.Addr), ""
	switch {
	case config.MetricsAddr != "":
		base = "http://" + dialable(config.MetricsAddr)
	case config.TLS.on():
		base, at = config.BaseURL, dialable(config.Addr)
	}
	got, err := fetch(ctx, base+readyPath, at)
	if err != nil {
		return fmt.Errorf("nothing can be asked at %s, start it or correct the settings: %s", base, why(err))
	}
	first, checks, _ := strings.Cut(got.text, "\n")
	switch {
	case got.status == http.StatusOK && first+"\n" == isReady:
		return p.print("Latchkey is ready at " + base + ".")
	case got.status == http.StatusServiceUnavailable && first+"\n" == notReady:
		var failed []string
		for line := range strings.Lines(checks) {
			if !strings.HasSuffix(line, ": ok\n") {
				failed = append(failed, strings.TrimSpace(line))
			}
		}
		if failed == nil {
			failed = []string{"its log says why"}
		}
		return errors.New("Latchkey at " + base + " is not ready: " + oneLine(strings.Join(failed, "; ")))
	}
	return errors.New("what answers at " + base + " is not Latchkey: stop it, or correct the settings")
}
