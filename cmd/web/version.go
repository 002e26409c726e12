package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v3"
)

// release and commit are set by scripts/build.sh.
var release, commit string

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{Name: "version", Usage: "print the version and what it was built from", Action: func(_ context.Context, cmd *cli.Command) error {
		if err := noArguments(cmd); err != nil {
			return err
		}
		return p.print("latchkey " + version() + " (" + strings.Join(origin(), ", ") + ")")
	}}
}

// version is what the build was given, or else what Go knows of the module.
func version() string {
	info, ok := debug.ReadBuildInfo()
	switch {
	case release != "":
		return release
	case !ok || info.Main.Version == "":
		return "(development)"
	}
	return info.Main.Version
}

// origin names the commit, where it is known, the compiler and the machine.
func origin() []string {
	from := commit
	if info, ok := debug.ReadBuildInfo(); ok && from == "" {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				from = setting.Value
			}
		}
	}
	facts := []string{runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if from != "" {
		facts = append([]string{"commit " + from}, facts...)
	}
	return facts
}
