package migrations_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// firstSideBySide is the first migration that a program of before may have to bear.
const firstSideBySide = 12

// stopped lists what a migration may take away: the file and the statement, and the newest
// migration of the first program that did not use it any more. An older program may not run
// beside such a migration, so its row in schema_compatibility must say so.
var stopped = map[string]int{}

// breaking are statements that a program of before does not bear.
var breaking = []struct {
	form *regexp.Regexp
	why  string
}{
	{regexp.MustCompile(`(?i)\bDROP\s+(TABLE|VIEW|INDEX|TRIGGER|SEQUENCE|TYPE|CONSTRAINT)\b`), "takes something away that an older program may use or name"},
	{regexp.MustCompile(`(?is)^ALTER\s+TABLE\b.*\bDROP\b`), "takes a column away"},
	{regexp.MustCompile(`(?is)^ALTER\s+TABLE\b.*\bRENAME\b`), "renames what an older program knows by its old name"},
	{regexp.MustCompile(`(?is)^ALTER\s+TABLE\b.*\b(TYPE|SET\s+NOT\s+NULL|ADD\s+(CONSTRAINT|CHECK|UNIQUE|FOREIGN|PRIMARY))\b`), "refuses what an older program writes"},
}

var (
	addedColumn = regexp.MustCompile(`(?is)^ALTER\s+TABLE\b.*\bADD\b.*\bNOT\s+NULL\b`)
	withDefault = regexp.MustCompile(`(?i)\bDEFAULT\b`)
	uniqueIndex = regexp.MustCompile(`(?is)^CREATE\s+UNIQUE\s+INDEX\b.*?\bON\s+(?:ONLY\s+)?(\w+)`)
	trigger     = regexp.MustCompile(`(?is)^CREATE\s+(?:CONSTRAINT\s+)?TRIGGER\b.*?\bON\s+(\w+)`)
	newTable    = regexp.MustCompile(`(?is)^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)`)
	statement   = regexp.MustCompile(`(?is)^INSERT\s+INTO\s+schema_compatibility\s*\(version,\s*oldest\)\s*VALUES\s*\((\d+),\s*(\d+)\)$`)
)

// statementsOf splits a migration without its comments. Of a trigger's body the pieces are
// harmless here: they begin with no CREATE and no ALTER.
func statementsOf(text string) []string {
	var all []string
	for piece := range strings.SplitSeq(regexp.MustCompile(`--[^\n]*`).ReplaceAllString(text, ""), ";") {
		if piece = strings.TrimSpace(piece); piece != "" {
			all = append(all, piece)
		}
	}
	return all
}

// problemsOf says what of a migration a program of before does not bear.
func problemsOf(text string) []string {
	var problems []string
	own := map[string]bool{}
	refuse := func(s, why string) { problems = append(problems, why+": "+strings.Join(strings.Fields(s), " ")) }
	for _, s := range statementsOf(text) {
		if made := newTable.FindStringSubmatch(s); made != nil {
			own[made[1]] = true
		}
		for _, rule := range breaking {
			if rule.form.MatchString(s) {
				refuse(s, rule.why)
			}
		}
		if addedColumn.MatchString(s) && !withDefault.MatchString(s) {
			refuse(s, "wants a value that an older program does not write")
		}
		for _, on := range []*regexp.Regexp{uniqueIndex, trigger} {
			if found := on.FindStringSubmatch(s); found != nil && !own[found[1]] {
				refuse(s, "may refuse what an older program writes")
			}
		}
	}
	return problems
}

// numberOf is the version of a file.
func numberOf(t *testing.T, path string) int {
	t.Helper()
	head, _, _ := strings.Cut(filepath.Base(path), "_")
	n, err := strconv.Atoi(head)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return n
}

// oldestOf is what a migration says of older programs, zero for nothing.
func oldestOf(t *testing.T, path, text string) int {
	t.Helper()
	for _, s := range statementsOf(text) {
		said := statement.FindStringSubmatch(s)
		if said == nil {
			continue
		}
		version, _ := strconv.Atoi(said[1])
		oldest, _ := strconv.Atoi(said[2])
		if version != numberOf(t, path) || oldest >= version || oldest == 0 {
			t.Errorf("%s says (%d, %d): write its own number, and that of a migration before it", path, version, oldest)
		}
		return oldest
	}
	return 0
}

// A migration only adds; what nobody uses any more goes one version later.
func TestMigrationsOnlyAdd(t *testing.T) {
	files, err := filepath.Glob("*/*.sql")
	if err != nil || len(files) < 13 {
		t.Fatal(files, err)
	}
	used := map[string]bool{}
	for _, path := range files {
		if numberOf(t, path) < firstSideBySide {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		oldest := oldestOf(t, path, string(text))
		if numberOf(t, path) > firstSideBySide && oldest == 0 {
			t.Errorf("%s does not say which programs may run beside it: INSERT INTO schema_compatibility (version, oldest) VALUES (%d, …)", path, numberOf(t, path))
		}
		for _, problem := range problemsOf(string(text)) {
			key := filepath.Base(path) + ": " + problem
			since, listed := stopped[key]
			used[key] = true
			if !listed || since > oldest {
				t.Errorf("%s (if no program since some version needs it, list that in stopped, and let the migration say that older ones may not run)", key)
			}
		}
	}
	for key := range stopped {
		if !used[key] {
			t.Errorf("stopped lists %q, which no migration does", key)
		}
	}
}

// The rules know what they look for.
func TestWhatAnOlderProgramDoesNotBear(t *testing.T) {
	for text, refused := range map[string]bool{
		"DROP TABLE tickets;":                                                            true,
		"drop index tokens_manual;":                                                      true,
		"ALTER TABLE tokens DROP COLUMN last4;":                                          true,
		"ALTER TABLE tokens RENAME COLUMN last4 TO tail;":                                true,
		"ALTER TABLE tokens RENAME TO bearers;":                                          true,
		"ALTER TABLE tokens\n ADD COLUMN x TEXT NOT NULL;":                               true,
		"ALTER TABLE tokens ALTER COLUMN x SET NOT NULL;":                                true,
		"ALTER TABLE tokens ALTER COLUMN x TYPE BIGINT;":                                 true,
		"ALTER TABLE tokens ADD CONSTRAINT c CHECK (x > 0)":                              true,
		"CREATE UNIQUE INDEX x ON tokens (last4);":                                       true,
		"CREATE TRIGGER t BEFORE UPDATE ON tokens BEGIN SELECT RAISE(ABORT, 'no'); END;": true,

		"ALTER TABLE tokens ADD COLUMN x TEXT NOT NULL DEFAULT '';":                  false,
		"ALTER TABLE tokens ADD COLUMN x TEXT;":                                      false,
		"CREATE INDEX x ON tokens (last4); -- DROP TABLE tokens":                     false,
		"CREATE TABLE y (x TEXT NOT NULL); CREATE UNIQUE INDEX x ON y (x);":          false,
		"CREATE TABLE y (x TEXT NOT NULL UNIQUE REFERENCES tokens (id)) STRICT;":     false,
		"INSERT INTO schema_compatibility (version, oldest) VALUES (14, 12);":        false,
		"UPDATE tokens SET x = '' WHERE x IS NULL; CREATE INDEX t ON tokens (type);": false,
	} {
		if got := problemsOf(text); (len(got) > 0) != refused {
			t.Errorf("%s: %q", text, got)
		}
	}
}
