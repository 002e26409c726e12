package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	// smallMemory is what the program was tested with under load.
	smallMemory = 128 << 20
	// fewFiles leaves room for a few thousand connections.
	fewFiles = 4096
	// fullDisk and nearlyFull are free bytes from which on there is little time left.
	fullDisk   = 100 << 20
	nearlyFull = 1 << 30
)

func checkMemory(_ context.Context, _ doctor, say func(verdict, string)) {
	granted, err := grantedMemory()
	switch {
	case err != nil:
		say(fine, "no limit of a cgroup is set")
	case granted < smallMemory:
		say(warning, fmt.Sprintf("the cgroup grants %s: give it 128 MB or more", megabytes(int64(granted))))
	default:
		say(fine, "the cgroup grants "+megabytes(int64(min(granted, 1<<60)))+", of which Go takes 90 % at most")
	}
}

// checkProcess looks at this process: that of the server has the same limits if both
// are started in the same way.
func checkProcess(_ context.Context, _ doctor, say func(verdict, string)) {
	if os.Getuid() == 0 {
		say(warning, "the doctor runs as root, who may do everything: run it as the user that serves, which should not be root")
	}
	if files, err := softLimit(syscall.RLIMIT_NOFILE); err == nil && files < fewFiles {
		say(warning, fmt.Sprintf("%d files and connections may be open: set LimitNOFILE=65536 in the unit, or ulimit -n", files))
	} else if err == nil {
		say(fine, fmt.Sprintf("%d files and connections may be open", files))
	}
	if size, err := softLimit(syscall.RLIMIT_CORE); err == nil && size > 0 {
		say(warning, "a crash may leave a core dump, which holds keys: set LimitCORE=0 in the unit, or ulimit -c 0")
	}
}

func checkDisk(_ context.Context, d doctor, say func(verdict, string)) {
	if !d.config.inFile() {
		return
	}
	dir := filepath.Dir(d.config.Database)
	for !exists(dir) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	free, size, err := freeSpace(dir)
	if err != nil {
		say(warning, fmt.Sprintf("how much of the disk of %s is free cannot be told: %v", dir, err))
		return
	}
	says := fmt.Sprintf("%s of %s are free in %s", megabytes(int64(min(free, 1<<60))), megabytes(int64(min(size, 1<<60))), dir)
	var database uint64
	if info, err := os.Stat(d.config.Database); err == nil {
		database = uint64(max(info.Size(), 0))
	}
	switch {
	case free < fullDisk:
		say(wrong, says+": make room before the database cannot grow")
	case free < nearlyFull || free < database:
		say(warning, says+": a backup takes as much again as the database, and 1 GB should be left")
	default:
		say(fine, says)
	}
}
