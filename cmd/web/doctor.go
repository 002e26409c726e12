package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
)

// verdict is how bad something is.
type verdict string

const (
	fine    verdict = "ok"
	warning verdict = "warning"
	wrong   verdict = "wrong"
)

// finding is one line of the doctor. It holds nothing secret.
type finding struct {
	Verdict verdict `json:"verdict"`
	Check   string  `json:"check"`
	// Says is what was found and, where that is not fine, what to do.
	Says string `json:"says"`
}

// doctor looks at a set-up and changes nothing of it.
type doctor struct {
	config Config
	now    time.Time
}

// check is one thing to look at. It may find several things, or nothing to say.
type check struct {
	name string
	look func(ctx context.Context, d doctor, say func(verdict, string))
}

// checkFor bounds each check; they run at the same time.
const checkFor = 15 * time.Second

var checks = []check{
	{"memory", checkMemory},
	{"limits of the process", checkProcess},
	{"key file", checkKeys},
	{"folder", checkFolder},
	{"disk", checkDisk},
	{"database", checkDatabase},
	{"certificate", checkCertificate},
	{"listen address", checkListen},
	{"base URL", checkBaseURL},
	{"trusted proxies", checkProxies},
	{"mail server", checkMail},
	{"OpenID provider", checkOpenID},
	{"upstreams", checkUpstreams},
}

func (p *program) doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "check the settings, the files and the servers they name, and say what is wrong; changes nothing", Action: p.doctor,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print what was found as JSON"}},
	}
}

func (p *program) doctor(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	var found []finding
	config, err := readConfig(cmd)
	var usage usageError
	switch {
	case errors.As(err, &usage):
		for _, line := range usage.lines {
			found = append(found, finding{wrong, "settings", line})
		}
	case err != nil:
		return err
	default:
		found = append([]finding{{fine, "settings", "all can be used"}}, doctor{config, clock()}.examine(ctx)...)
	}
	if err := p.printFindings(found, cmd.Bool("json")); err != nil {
		return err
	}
	if n := count(found, wrong); n > 0 {
		return errors.New(models.Count(n, "check") + " found something wrong: see above")
	}
	return nil
}

// examine does all checks at once and keeps their order.
func (d doctor) examine(ctx context.Context) []finding {
	ctx, cancel := context.WithTimeout(ctx, checkFor)
	defer cancel()
	found := make([][]finding, len(checks))
	var all sync.WaitGroup
	for i, check := range checks {
		all.Go(func() {
			check.look(ctx, d, func(v verdict, says string) {
				found[i] = append(found[i], finding{v, check.name, oneLine(says)})
			})
		})
	}
	all.Wait()
	var list []finding
	for _, some := range found {
		list = append(list, some...)
	}
	return list
}

const longestFinding = 400

// oneLine is for texts that others had a part in.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	if len(text) > longestFinding {
		text = strings.ToValidUTF8(text[:longestFinding], "") + "…"
	}
	return text
}

func (p *program) printFindings(found []finding, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(found)
	}
	for _, f := range found {
		if err := p.print(fmt.Sprintf("%-8s %s: %s", f.Verdict, f.Check, f.Says)); err != nil {
			return err
		}
	}
	return nil
}

func count(found []finding, v verdict) int64 {
	var n int64
	for _, f := range found {
		if f.Verdict == v {
			n++
		}
	}
	return n
}
