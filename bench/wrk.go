package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

//go:embed lua/*.lua
var scripts embed.FS

func writeScripts(dir string) error {
	names, err := fs.Glob(scripts, "lua/*.lua")
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := scripts.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, path.Base(name)), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// count is what wrk counted; durations are microseconds.
type count struct {
	Requests, Duration, Bytes, Errors int64
	P50, P99                          float64
}

// wrk sends the requests of an endpoint for some seconds.
func (l *lab) wrk(ctx context.Context, base string, e endpoint, connections, seconds int) (count, error) {
	cmd := command(ctx, "wrk", "-t"+strconv.Itoa(min(2, connections)), "-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(seconds)+"s",
		"--latency", "-s", e.script(), base, "--", e.file)
	cmd.Dir = l.dir // where one script finds the other
	out, err := cmd.CombinedOutput()
	if err != nil {
		return count{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	return parseWrk(string(out))
}

var resultLine = regexp.MustCompile(`(?m)^result (\{.*\})$`)

// parseWrk reads what lua/common.lua wrote, and refuses a run in which anything
// went wrong.
func parseWrk(out string) (count, error) {
	var c count
	found := resultLine.FindStringSubmatch(out)
	if found == nil {
		return c, fmt.Errorf("wrk gave no result:\n%s", out)
	}
	if err := json.Unmarshal([]byte(found[1]), &c); err != nil {
		return c, fmt.Errorf("wrk gave %s: %w", found[1], err)
	}
	bad := strings.Contains(out, "Non-2xx or 3xx responses") || strings.Contains(out, "Socket errors")
	if bad || c.Errors > 0 || c.Requests == 0 || c.Duration == 0 {
		return c, fmt.Errorf("requests failed:\n%s", out)
	}
	return c, nil
}
