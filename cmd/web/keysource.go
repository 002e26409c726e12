package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/latchkey/latchkey/models"
	"github.com/latchkey/latchkey/rotation"
	"github.com/latchkey/latchkey/secrets"
)

const (
	// keyCommandTime is how long the command that gives the keys may take.
	keyCommandTime = 15 * time.Second
	// keyCommandEvery is how often it is asked again.
	keyCommandEvery = 5 * time.Minute
)

func parseKeysValue(c *Config, value string) string {
	c.KeysValue = models.NewSecret(value)
	return ""
}

func parseKeysCommand(c *Config, value string) string {
	c.KeysCommand = strings.Fields(value)
	return ""
}

// checkKeySource refuses two sources of keys: which of them counts nobody could tell.
func checkKeySource(cmd *cli.Command) []string {
	set := 0
	for _, name := range []string{"keys", "keys-value", "keys-command"} {
		if cmd.IsSet(name) && cmd.String(name) != "" {
			set++
		}
	}
	if set > 1 {
		return []string{"--keys (LATCHKEY_KEYS), --keys-value (LATCHKEY_KEYS_VALUE), --keys-command (LATCHKEY_KEYS_COMMAND): set one of them"}
	}
	return nil
}

// keySource is where the settings say that the keys come from.
func (c Config) keySource() rotation.Source {
	never := func() string { return "" }
	switch {
	case !c.KeysValue.IsEmpty():
		return rotation.Source{
			Name: "value of LATCHKEY_KEYS_VALUE", Stamp: never,
			Read: func(context.Context) ([]byte, error) { return []byte(c.KeysValue.Reveal()), nil },
		}
	case len(c.KeysCommand) > 0:
		return rotation.Source{
			Name: "output of LATCHKEY_KEYS_COMMAND", Read: c.askForKeys,
			Stamp: func() string { return clock().Truncate(keyCommandEvery).String() },
		}
	}
	return rotation.Source{
		Name: "key file " + c.Keys, Stamp: func() string { return secrets.KeyFileStamp(c.Keys) },
		Read: func(context.Context) ([]byte, error) { return secrets.ReadKeyFile(c.Keys) },
		Change: func(ctx context.Context, change secrets.KeyChange) error {
			return secrets.ChangeKeyFile(ctx, c.Keys, change)
		},
	}
}

// keysInFile tells whether keys may be made where there are none.
func (c Config) keysInFile() bool { return c.KeysValue.IsEmpty() && len(c.KeysCommand) == 0 }

// askForKeys runs the operator's command without a shell and without our own settings, and
// takes what it prints. What it prints on standard error may hold anything, and is dropped.
// Nothing else in Latchkey runs a program.
func (c Config) askForKeys(ctx context.Context) ([]byte, error) {
	limit, cancel := context.WithTimeout(ctx, keyCommandTime)
	defer cancel()
	out := limited{left: secrets.MaxKeySet}
	command := exec.CommandContext(limit, c.KeysCommand[0], c.KeysCommand[1:]...) //nolint:gosec // the operator's own setting
	command.Stdout, command.Env = &out, withoutSettings(os.Environ())
	// What it started ends with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	err := command.Run()
	var exit *exec.ExitError
	switch {
	case out.over:
		return nil, fmt.Errorf("LATCHKEY_KEYS_COMMAND (%s) printed more than 1 MiB, it is to print a key set alone", c.KeysCommand[0])
	case err == nil:
		return out.held.Bytes(), nil
	case limit.Err() != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("LATCHKEY_KEYS_COMMAND (%s) took longer than %s, run it by hand as this user", c.KeysCommand[0], keyCommandTime)
	case errors.As(err, &exit):
		return nil, fmt.Errorf("LATCHKEY_KEYS_COMMAND (%s) failed (%s), run it by hand as this user", c.KeysCommand[0], exit.ProcessState)
	}
	return nil, fmt.Errorf("LATCHKEY_KEYS_COMMAND (%s) cannot be run, write its path and what it takes, separated by spaces: %w", c.KeysCommand[0], err)
}

func withoutSettings(environment []string) []string {
	kept := []string{} // nil would stand for all
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "LATCHKEY_") && !strings.HasPrefix(variable, "OTEL_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// limited refuses to hold more than what is left. The buffer is not embedded: io.Copy would find
// its ReadFrom.
type limited struct {
	held bytes.Buffer
	left int
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		l.over = true
		return 0, io.ErrShortBuffer
	}
	return l.held.Write(p)
}
