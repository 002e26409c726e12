package static_test

import (
	"os"
	"regexp"
	"testing"
)

// P2: what would let text become markup or code.
var dangerous = regexp.MustCompile(`(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function|set(Timeout|Interval)\(\s*["'` + "`" + `]|javascript:|on(click|error|load)\s*=|(local|session)Storage|document\.cookie`)

func TestScriptUsesTextAndKeepsNothing(t *testing.T) {
	for _, file := range []string{"js/latchkey.js", "js/passkey.js", "js/check.js", "dist/latchkey.js", "dist/passkey.js", "dist/check.js"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := dangerous.FindString(string(text)); found != "" {
			t.Errorf("%s has %q", file, found)
		}
	}
}
