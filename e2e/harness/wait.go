package harness

import (
	"testing"
	"time"
)

// Patience is how long a test waits for what should come soon. It is long for the sake of
// busy machines; nothing waits longer than it has to.
const Patience = 30 * time.Second

// Eventually polls until ok returns an empty string, and fails with what it returned last and
// what more tells, which may take its time.
func Eventually(t testing.TB, ok func() string, more ...func() string) {
	t.Helper()
	var problem string
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); {
		if problem = ok(); problem == "" {
			return
		}
		time.Sleep(15 * time.Millisecond)
	}
	for _, tell := range more {
		problem += "\n" + tell()
	}
	t.Fatal(problem)
}
