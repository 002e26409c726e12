package main

import (
	"fmt"
	"slices"
)

// target is a line of what is to be reached.
type target struct {
	what  string
	unit  string
	value float64
	known bool
	// least and aim are bounds from below, or from above where less is better;
	// zero is none.
	least, aim float64
	less       bool
}

// widest is the number of connections that the ratios are asked for at.
const widest = 64

func (l *lab) targets() []target {
	issuing := l.part("`POST /oauth2/token`, SQLite, durable", "token", 0.15, 0.22)
	if l.postgres != "" {
		issuing = l.part("`POST /oauth2/token`, PostgreSQL, durable", "token", 0.10, 0.14)
	}
	list := []target{
		issuing,
		l.part("`GET /oauth2/verify`, 1,000 live tokens", "verify", 0.55, 0.70),
		l.part("`POST /oauth2/introspect`, 1,000 live tokens", "introspect", 0.45, 0.65),
		l.part("Applications page, 25 of 10,000, signed in", "applications", 0.05, 0.10),
	}
	list = append(list, l.part("a call through the gateway, of a bare `httputil.ReverseProxy`", "gateway", 0.5, 0))
	lone, known := l.find("token", 1)
	t := target{what: "p50 of a lone token request", unit: "ms", known: known, least: 0.6, less: true}
	if known {
		t.value = lone.own().p50
	}
	list = append(list, t,
		target{what: "idle memory", unit: "MB", value: l.facts.idle, known: true, least: 40, less: true},
		target{what: "memory under load, the greatest of all rows", unit: "MB", value: l.greatest(), known: len(l.results) > 0, least: 120, less: true},
		target{what: "start with a migrated database", unit: "ms", value: l.facts.start, known: true, least: 100, less: true},
	)
	for _, e := range []string{"token", "verify", "introspect", "applications"} {
		list = append(list, l.against(e+", "+thousands(l.rows)+" token rows against few", keyOf(stageRows, e), e, 0.8))
	}
	for _, e := range []string{"token", "verify", "introspect"} {
		list = append(list, l.beside(e+", with purging against without", keyOf(stagePurge, e), 0.9))
	}
	return list
}

func (l *lab) find(key string, connections int) (result, bool) {
	at := slices.IndexFunc(l.results, func(r result) bool { return r.key == key && r.connections == connections })
	if at < 0 {
		return result{}, false
	}
	return l.results[at], true
}

func (l *lab) part(what, key string, least, aim float64) target {
	t := target{what: what, least: least, aim: aim}
	r, known := l.find(key, widest)
	if t.known = known; known {
		t.value = median(r.ratios())
	}
	return t
}

// against compares two rows by their parts of bare echo.
func (l *lab) against(what, key, with string, least float64) target {
	a, b := l.part(what, key, least, 0), l.part(what, with, least, 0)
	a.known = a.known && b.known
	if a.known {
		a.value /= b.value
	}
	return a
}

// beside compares a row with itself without a purge, round by round.
func (l *lab) beside(what, key string, least float64) target {
	t := l.part(what, key, least, 0)
	if r, known := l.find(key, widest); known {
		t.value = median(over(r.rounds, func(r round) float64 { return r.own.rate / r.calm.rate }))
	}
	return t
}

func (l *lab) greatest() float64 {
	most := 0.0
	for _, r := range l.results {
		most = max(most, r.own().memory)
	}
	return most
}

func (t target) text() string {
	if !t.known {
		return "not measured"
	}
	return t.number(t.value)
}

func (t target) number(value float64) string {
	if t.unit == "" {
		return ratio(value)
	}
	return fmt.Sprintf("%.3g %s", value, t.unit)
}

// verdict is a bound and whether it is met.
func (t target) verdict(bound float64) string {
	if bound == 0 {
		return ""
	}
	text, met := t.number(bound), t.value >= bound
	if t.less {
		text, met = "under "+text, t.value < bound
	}
	switch {
	case !t.known:
		return text
	case met:
		return text + ": met"
	}
	return text + ": **not met**"
}
