package main

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents returns what people read, by path.
func documents(t *testing.T) (root fs.FS, texts map[string]string) {
	t.Helper()
	root, texts = os.DirFS("../.."), map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "static/*.md", "e2e/testdata/*.md"} {
		names, err := fs.Glob(root, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(root, name)
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(text)
		}
	}
	if len(texts) < 30 {
		t.Fatalf("only %d documents found", len(texts))
	}
	return root, texts
}

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
			return r
		}
		return -1
	}, strings.ToLower(heading))
	return kept
}

// Every link from a document to another file leads to one, and to a heading that is there.
func TestLinksOfDocuments(t *testing.T) {
	root, texts := documents(t)
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	for name, text := range texts {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			target, fragment, _ := strings.Cut(found[1], "#")
			at := path.Join(path.Dir(name), target)
			if target == "" {
				at = name
			}
			if _, err := fs.Stat(root, at); err != nil {
				t.Errorf("%s: %s leads to nothing", name, found[1])
				continue
			}
			if fragment == "" {
				continue
			}
			leads := slices.ContainsFunc(heading.FindAllStringSubmatch(texts[at], -1), func(h []string) bool { return anchor(h[1]) == fragment })
			if !leads {
				t.Errorf("%s: %s has no such heading", name, found[1])
			}
		}
	}
}

// notSettings are variables of tests and examples.
var notSettings = []string{"LATCHKEY_TEST_POSTGRES", "LATCHKEY_TEST_DATABASE", "LATCHKEY_CHROMIUM", "LATCHKEY_SHOTS", "LATCHKEY_URL", "LATCHKEY_CLIENT_ID", "LATCHKEY_CLIENT_SECRET"}

// The table of settings in README.md has each with its default, and no document names one that
// is not there.
func TestSettingsInDocuments(t *testing.T) {
	_, texts := documents(t)
	fallbacks := map[string]string{}
	for _, s := range settings {
		fallbacks[s.variable()] = s.fallback
	}
	quoted := regexp.MustCompile("`([^`]*)`")
	listed := map[string]string{}
	for line := range strings.Lines(texts["README.md"]) {
		if !strings.HasPrefix(line, "| `LATCHKEY_") {
			continue
		}
		cells := strings.Split(line, "|")[1:]
		defaults := quoted.FindAllStringSubmatch(cells[1], -1)
		for i, variable := range quoted.FindAllStringSubmatch(cells[0], -1) {
			listed[variable[1]] = ""
			if i < len(defaults) && !strings.Contains(cells[1], ", none, ") {
				listed[variable[1]] = defaults[i][1]
			}
		}
	}
	for variable, fallback := range fallbacks {
		shown, there := listed[variable]
		switch {
		case !there:
			t.Errorf("README.md does not list %s", variable)
		case shown != fallback && shown+fallback != "" && variable != "LATCHKEY_ACME_DIRECTORY" && variable != "LATCHKEY_OIDC_ROLE":
			t.Errorf("README.md says that %s is %q, and it is %q", variable, shown, fallback)
		}
	}
	name := regexp.MustCompile(`\bLATCHKEY_[A-Z][A-Z_]*[A-Z]\b`)
	for document, text := range texts {
		for _, variable := range name.FindAllString(text, -1) {
			if _, there := fallbacks[variable]; !there && !slices.Contains(notSettings, variable) && variable != "LATCHKEY_KEEP" {
				t.Errorf("%s names %s, which is no setting", document, variable)
			}
		}
	}
}

// Documents name commands and targets of make that there are, and README.md each command.
func TestCommandsInDocuments(t *testing.T) {
	root, texts := documents(t)
	p := &program{}
	known := map[string][]string{}
	for _, command := range p.commands() {
		known[command.Name] = nil
		for _, sub := range command.Commands {
			known[command.Name] = append(known[command.Name], sub.Name)
		}
	}
	for name, subs := range known {
		for _, want := range append([]string{name}, subs...) {
			if !regexp.MustCompile("[` ]" + want + "[` ]").MatchString(texts["README.md"]) {
				t.Errorf("README.md does not name the command %s of %s", want, name)
			}
		}
	}
	makefile, err := fs.ReadFile(root, "Makefile")
	if err != nil {
		t.Fatal(err)
	}
	called := regexp.MustCompile("(?m)(?:^    |`|&& |\\| |exec )(?:\\./)?(?:latchkey|go run \\./cmd/web) ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
	made := regexp.MustCompile("(?m)(?:^    |`)make ([a-z][a-z-]*)")
	for name, text := range texts {
		for _, call := range called.FindAllStringSubmatch(text, -1) {
			if call[0] == "`latchkey audit event" { // the beginning of what is hashed
				continue
			}
			subs, there := known[call[1]]
			if !there || len(subs) > 0 && !slices.Contains(subs, call[2]) {
				t.Errorf("%s: there is no command %q", name, call[0])
			}
		}
		for _, target := range made.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(string(makefile), "\n"+target[1]+":") {
				t.Errorf("%s: there is no %q", name, target[0])
			}
		}
	}
}
