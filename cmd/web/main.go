// Command web is Latchkey: the pages, the token service and the commands of its
// operator. It is the only place that knows every package, reads settings and
// looks at the clock.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	_ "time/tzdata" // people choose their time zone also where the host knows none

	"github.com/urfave/cli/v3"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args, os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)
	os.Exit(code)
}

// usageError is the caller's mistake, exit code 2. Each of its lines says what
// to write instead.
type usageError struct{ lines []string }

func (e usageError) Error() string {
	return strings.Join(e.lines, "\n")
}

func usagef(format string, args ...any) error {
	return usageError{lines: []string{fmt.Sprintf(format, args...)}}
}

// run is the program as a value that tests can call. It returns the exit code.
func run(ctx context.Context, args []string, env lookup, stdin io.Reader, stdout, stderr io.Writer) int {
	name := filepath.Base(args[0]) // people build it under names of their own
	// cli checks the flags of every command with the same function.
	onUsage := func(_ context.Context, _ *cli.Command, err error, _ bool) error {
		return usagef("%s. Run %s --help for what there is", err, name)
	}
	p := &program{env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	root := &cli.Command{
		Name: name, Usage: "team pages for OAuth2 applications and access tokens, and the token service behind them",
		Description:  "Without a command, " + name + " serves. Every setting is a flag and an environment variable.",
		Flags:        settingFlags(env),
		Action:       p.serve,
		Commands:     p.commands(),
		Reader:       stdin,
		Writer:       stdout,
		ErrWriter:    stderr,
		OnUsageError: onUsage,
		// The default handler ends the process.
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
		HideVersion:    true,
	}
	for _, command := range root.Commands {
		command.OnUsageError = onUsage
		for _, sub := range command.Commands {
			sub.OnUsageError = onUsage
		}
	}
	err := root.Run(ctx, args)
	if err == nil {
		return exitDone
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		_, _ = fmt.Fprintln(stderr, name+": "+line) // nowhere is left to report that
	}
	var usage usageError
	var unknownTopic cli.ExitCoder // what cli says of help for a command that is not there
	if errors.As(err, &usage) || errors.As(err, &unknownTopic) {
		return exitUsage
	}
	return exitFailed
}

// program is what the commands share.
type program struct {
	env            lookup
	stdin          io.Reader
	stdout, stderr io.Writer
}

func (p *program) commands() []*cli.Command {
	return []*cli.Command{
		p.serveCommand(), p.migrateCommand(), p.userCommand(), p.resourceServerCommand(), p.planCommand(), p.pointsCommand(), p.purgeCommand(), p.auditCommand(),
		p.backupCommand(), p.restoreCommand(), p.keysCommand(), p.statusCommand(), p.doctorCommand(), p.healthCommand(), p.versionCommand(),
	}
}

// print answers on standard output.
func (p *program) print(line string) error {
	_, err := fmt.Fprintln(p.stdout, line)
	return err
}

// noArguments refuses words that no command knows.
func noArguments(cmd *cli.Command) error {
	if cmd.Args().Present() {
		return usagef("there is no command %q. Run %s --help for what there is", cmd.Args().First(), cmd.Root().Name)
	}
	return nil
}
