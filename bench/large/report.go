package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// notable is how much longer something may take with a hundred times the rows.
const notable = 2

// note says something about the present size.
func (l *lab) note(format string, args ...any) {
	text := l.sizes[len(l.sizes)-1] + " rows, " + fmt.Sprintf(format, args...) + "."
	l.notes = append(l.notes, text)
	l.say("%s", text)
}

// report writes the table in Markdown.
func (l *lab) report() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s, p50 / p99 in ms by rows in the table of tokens:\n", map[string]string{onPostgres: "PostgreSQL", onSQLite: "SQLite"}[l.name])
	line("| | %s | p50 grew | |", strings.Join(l.sizes, " | "))
	line("| --- | %s ---: | --- |", strings.Repeat("---: | ", len(l.sizes)))
	for _, r := range l.results {
		line("%s", r.row())
	}
	line("")
	i := slices.IndexFunc(l.results, func(r result) bool { return strings.HasSuffix(r.name, "beside the purge") })
	for at, size := range l.sizes {
		line("- %s rows: the longest that a token waited to be issued beside the purge: %s.", size, text(l.results[i].took[at].worst))
	}
	for _, note := range l.notes {
		line("- %s", note)
	}
	line("")
	return b.String()
}

func (r result) row() string {
	cells := make([]string, 0, len(r.took))
	for _, t := range r.took {
		cells = append(cells, milliseconds(t.p50)+" / "+milliseconds(t.p99))
	}
	first, last := r.took[0].p50, r.took[len(r.took)-1].p50
	ratio := float64(last) / float64(max(first, 1))
	remark := ""
	switch {
	case r.grows != "":
		remark = r.grows
	case ratio > notable:
		remark = "**grew**"
	}
	return fmt.Sprintf("| %s | %s | %.1f | %s |", r.name, strings.Join(cells, " | "), ratio, remark)
}

func text(d time.Duration) string { return milliseconds(d) + " ms" }

func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms >= 10 {
		return strconv.FormatFloat(ms, 'f', 0, 64)
	}
	return strconv.FormatFloat(ms, 'f', 2, 64)
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
