package main

import (
	"errors"
	"io/fs"
	"syscall"
)

// mayWrite is W_OK of access(2), which asks and does nothing.
const mayWrite = 2

// cannotWrite says what is wrong where this user may not write to path.
func cannotWrite(path string) string {
	err := syscall.Access(path, mayWrite)
	switch {
	case errors.Is(err, syscall.EROFS):
		return path + " lies on a disk that takes no writes: mount it writable (ReadWritePaths or StateDirectory in a systemd unit, a volume in a container)"
	case err != nil:
		return "this user may not write to " + path + ": run the doctor as the user that serves, or correct its owner"
	}
	return ""
}

func ownerOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// freeSpace is what this user may still write on the disk of path, in bytes, and the
// size of the disk.
func freeSpace(path string) (free, size uint64, err error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return 0, 0, err
	}
	block := uint64(stat.Bsize)                                          //nolint:gosec // its type depends on the system
	return uint64(stat.Bavail) * block, uint64(stat.Blocks) * block, nil //nolint:unconvert // likewise
}

// softLimit is a limit of this process.
func softLimit(resource int) (uint64, error) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(resource, &limit)
	return uint64(limit.Cur), err //nolint:unconvert // its type depends on the system
}
