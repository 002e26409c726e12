package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// tempOnDisk makes a folder that is not in memory: what is durable must cost
// what it costs.
func tempOnDisk(wanted string) (string, error) {
	places := []string{os.TempDir(), "/var/tmp"}
	if wanted != "" {
		places = []string{wanted}
	}
	for _, place := range places {
		if kind := fileSystem(place); kind != "tmpfs" && kind != "ramfs" {
			return os.MkdirTemp(place, "latchkey-bench-")
		}
	}
	return "", fmt.Errorf("%s is in memory, name a folder on a disk with -dir", strings.Join(places, " and "))
}

// fileSystem is the kind of file system that holds a folder, as Linux says.
func fileSystem(folder string) string {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return ""
	}
	kind, longest := "", 0
	for line := range strings.Lines(fileText("/proc/mounts")) {
		fields := strings.Fields(line)
		if len(fields) < 3 || len(fields[1]) < longest {
			continue
		}
		if rest, ok := strings.CutPrefix(folder, strings.TrimSuffix(fields[1], "/")); ok && (rest == "" || rest[0] == '/') {
			kind, longest = fields[2], len(fields[1])
		}
	}
	return kind
}

// fileText is empty where there is no such file: another system than Linux.
func fileText(path string) string {
	text, _ := os.ReadFile(path) //nolint:gosec // fixed paths under /proc
	return string(text)
}

// valueOf finds "name: value" in the way of /proc.
func valueOf(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// memory reads VmRSS or VmHWM of a server, in MB.
func (s *server) memory(name string) (float64, error) {
	status := fileText(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	kib, err := strconv.ParseFloat(strings.TrimSuffix(valueOf(status, name), " kB"), 64)
	if err != nil {
		return 0, fmt.Errorf("%s of process %d: %w", name, s.cmd.Process.Pid, err)
	}
	return kib * 1024 / 1e6, nil
}

// resetPeak makes VmHWM begin again. Where the system does not let us, the peak
// is that of all rows before, too.
func (s *server) resetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0o600) //nolint:gosec // a process of our own
}

func machine() string {
	cpu := cmp.Or(valueOf(fileText("/proc/cpuinfo"), "model name"), runtime.GOARCH)
	kernel := cmp.Or(strings.TrimSpace(fileText("/proc/sys/kernel/osrelease")), runtime.GOOS)
	return fmt.Sprintf("%s, %d cores, kernel %s, %s", cpu, runtime.NumCPU(), kernel, runtime.Version())
}

// syncedWrite is the median time of a 4 KiB write that reached the disk, in ms:
// what every durable answer waits for.
func syncedWrite(path string) (float64, error) {
	file, err := os.Create(path) //nolint:gosec // in the folder of the benchmark
	if err != nil {
		return 0, err
	}
	defer file.Close()
	var times []float64
	for range 100 {
		start := now()
		if _, err := file.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		times = append(times, millis(now().Sub(start)))
	}
	return median(times), nil
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
