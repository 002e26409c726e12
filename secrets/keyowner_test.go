package secrets

import (
	"io/fs"
	"testing"
)

// K4: a key file may be a mounted secret; else only its user may read it.
func TestGivenByRoot(t *testing.T) {
	const self, own, other = 65532, 65532, 100
	for name, test := range map[string]struct {
		mode               fs.FileMode
		owner, group, self int
		want               bool
	}{
		"credential of systemd":      {0o440, 0, 0, self, true},
		"secret of Kubernetes":       {0o440, 0, own, self, true},
		"group of others":            {0o440, 0, other, self, false},
		"of its own user":            {0o440, self, own, self, false},
		"of another user":            {0o440, 1000, own, self, false},
		"writable":                   {0o640, 0, own, self, false},
		"writable by its group":      {0o460, 0, own, self, false},
		"readable by all":            {0o444, 0, own, self, false},
		"readable by others alone":   {0o404, 0, own, self, false},
		"read by root, who may all":  {0o440, 0, 0, 0, false},
		"runnable, which no key is ": {0o550, 0, own, self, false},
	} {
		if got := givenByRoot(test.mode, test.owner, test.group, test.self, []int{own}); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
