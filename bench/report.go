package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// report writes the tables in Markdown.
func (l *lab) report() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Measured on %s (%s), 4 KiB reach the disk in %.2f ms. Load: wrk on the same machine;", machine(), now().UTC().Format("2 January 2006"), l.facts.synced)
	line("%d rounds of %d s, bare echo (or what a row names) before each; medians, the ratio with its least and greatest. Memory is the peak.", l.rounds, l.seconds)
	line("")
	line("| what | connections | requests/s | p50 ms | p99 ms | of bare echo | memory MB |")
	line("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, c := range slices.Sorted(maps.Keys(l.bare)) {
		line("%s", tableRow("bare echo hello", c, summary(l.bare[c]), "1"))
	}
	for _, r := range l.results {
		ratios := r.ratios()
		line("%s", tableRow(r.title, r.connections, r.own(),
			fmt.Sprintf("%s (%s to %s)", ratio(median(ratios)), ratio(slices.Min(ratios)), ratio(slices.Max(ratios)))))
	}
	line("")
	line("Start, from exec to the first answer, with a migrated database: %.0f ms (median of %d). Idle memory: %.1f MB.", l.facts.start, starts, l.facts.idle)
	for _, c := range slices.Sorted(maps.Keys(l.bare)) {
		rates := over(l.bare[c], func(m measured) float64 { return m.rate })
		line("Bare echo itself varied between %s and %s requests/s at %d connections.", thousands(int64(slices.Min(rates))), thousands(int64(slices.Max(rates))), c)
	}
	for _, note := range l.notes {
		line("\n%s", note)
	}
	line("")
	line("| to reach, at 64 connections | measured | at least | aim |")
	line("| --- | ---: | ---: | ---: |")
	for _, t := range l.targets() {
		line("| %s | %s | %s | %s |", t.what, t.text(), t.verdict(t.least), t.verdict(t.aim))
	}
	return b.String()
}

func tableRow(what string, connections int, m measured, ratio string) string {
	return fmt.Sprintf("| %s | %d | %s | %.2f | %.2f | %s | %.0f |", what, connections, thousands(int64(m.rate)), m.p50, m.p99, ratio, m.memory)
}

func ratio(value float64) string { return fmt.Sprintf("%.3f", value) }

const (
	beginMarker = "<!-- bench:begin -->"
	endMarker   = "<!-- bench:end -->"
)

// writeBetweenMarkers replaces what stands between the two markers of a file,
// and adds them at its end where it has none.
func writeBetweenMarkers(path, text string) error {
	old, err := os.ReadFile(path) //nolint:gosec // the caller's own choice
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(path, []byte(betweenMarkers(string(old), text)), 0o644) //nolint:gosec // a page for everyone to read
}

func betweenMarkers(old, text string) string {
	block := beginMarker + "\n" + text + endMarker
	before, rest, begins := strings.Cut(old, beginMarker)
	_, after, ends := strings.Cut(rest, endMarker)
	switch {
	case begins && ends:
		return before + block + after
	case old == "":
		old = "# Benchmarks\n\n"
	}
	return strings.TrimRight(old, "\n") + "\n\n" + block + "\n"
}
