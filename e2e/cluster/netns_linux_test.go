package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// ip runs iproute2.
func ip(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// elsewhere gives a node a network of its own with two cables: by one it is asked, by the
// other it asks the database. It returns the end of the latter.
func elsewhere(w *world, n *node) (cable string) {
	w.Helper()
	id := os.Getpid() % 250
	space := fmt.Sprint("latchkey", id)
	front, back := fmt.Sprint("lkf", id), fmt.Sprint("lkb", id)
	ip(w, "netns", "add", space)
	w.Cleanup(func() {
		_ = exec.Command("ip", "netns", "del", space).Run() //nolint:noctx // after the test
		_ = exec.Command("ip", "link", "del", front).Run()  //nolint:noctx // as above
		_ = exec.Command("ip", "link", "del", back).Run()   //nolint:noctx // as above
	})
	ip(w, "-n", space, "link", "set", "lo", "up")
	for net, link := range []string{front, back} {
		here, there := fmt.Sprintf("10.77.%d.%d", id, 4*net+1), fmt.Sprintf("10.77.%d.%d", id, 4*net+2)
		ip(w, "link", "add", link, "type", "veth", "peer", "name", "eth"+fmt.Sprint(net), "netns", space)
		ip(w, "addr", "add", here+"/30", "dev", link)
		ip(w, "link", "set", link, "up")
		ip(w, "-n", space, "addr", "add", there+"/30", "dev", "eth"+fmt.Sprint(net))
		ip(w, "-n", space, "link", "set", "eth"+fmt.Sprint(net), "up")
	}
	n.inside, n.base = space, fmt.Sprintf("http://10.77.%d.2:8080", id)
	n.args = append(w.flags(strings.TrimPrefix(n.base, "http://"), database.address(fmt.Sprintf("10.77.%d.5:%s", id, database.port), w.name)), "--allow-http", "true")
	return back
}

// Promise 2: the same with a network that is really cut. Where the test is not root, who alone
// may lay cables, the relay takes their place, as in TestCutOffInSilence: then the time-outs
// of TCP are not tested.
func TestCutCable(t *testing.T) {
	w := plan(t, 3)
	cut, heal := w.nodes[1].relay.cut, func() { w.nodes[1].relay.heal(false) }
	if os.Getuid() == 0 {
		cable := elsewhere(w, w.nodes[1])
		cut, heal = func() { ip(w, "link", "set", cable, "down") }, func() { ip(w, "link", "set", cable, "up") }
	} else {
		t.Log("NOT TESTED without root: a network namespace; a relay that swallows bytes stands in for it")
	}
	w.start()
	fault{
		lasts: 12 * time.Second, recovers: 12 * time.Second,
		do: func(_ *world, l *load) { refusesToSay(l, w.nodes[1], cut) }, ends: func(*world) { heal() },
	}.on(t, w)
}
