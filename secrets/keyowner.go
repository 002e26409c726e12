package secrets

import (
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// handedOver tells whether a file that a group may read is a secret which root gave to
// this process: a credential of systemd, which names its user in an access list that
// shows as the group's mode, or a secret that Kubernetes mounts for the pod's group.
func handedOver(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	groups, err := os.Getgroups()
	if !ok || err != nil {
		return false
	}
	return givenByRoot(info.Mode().Perm(), int(stat.Uid), int(stat.Gid), os.Geteuid(), append(groups, os.Getegid()))
}

func givenByRoot(mode fs.FileMode, owner, group, self int, groups []int) bool {
	return mode == 0o440 && owner == 0 && self != 0 && (group == 0 || slices.Contains(groups, group))
}
