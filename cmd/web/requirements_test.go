package main

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every requirement of docs/requirements.md is cited by a test.
func TestEveryRequirementIsCited(t *testing.T) {
	root := os.DirFS("../..")
	text, err := fs.ReadFile(root, "docs/requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	cited := map[string]bool{}
	comment := regexp.MustCompile(`//.*`)
	name := regexp.MustCompile(`\b[SPOTKDGACUR][0-9]{1,2}\b`)
	err = fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := fs.ReadFile(root, path)
		for _, line := range comment.FindAllString(string(source), -1) {
			for _, id := range name.FindAllString(line, -1) {
				cited[id] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| ([SPOTKDGACUR][0-9]{1,2}) \|`).FindAllStringSubmatch(string(text), -1)
	if len(rows) < 50 {
		t.Fatalf("only %d requirements found", len(rows))
	}
	for _, row := range rows {
		if !cited[row[1]] {
			t.Errorf("no test cites %s", row[1])
		}
	}
}
