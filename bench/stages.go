package main

import (
	"context"
	"fmt"
	"slices"
)

// The stages whose rows carry their name.
const (
	stageRows  = "rows"
	stagePurge = "purge"
)

// stage is a state of the database and what is measured in it.
type stage struct {
	name string
	// suffix is what its rows say beside the endpoint.
	suffix    string
	endpoints []string
	// fill is done to the database while the server is stopped.
	fill func(l *lab, ctx context.Context) error
	// widest measures at the most connections only.
	widest bool
	// purging lets tokens expire for each round, which the server then purges.
	purging bool
}

// stages orders the rows so that the small database is still small for those
// that only read, and tokens are added last.
func stages(o options) []stage {
	if o.postgres != "" {
		return []stage{{endpoints: []string{"verify", "introspect", "token"}}}
	}
	big := ", " + thousands(o.rows) + " token rows"
	return []stage{
		{endpoints: []string{"verify", "introspect"}},
		{endpoints: []string{"applications", "token", "applications-gzip"}, fill: (*lab).fillApplications},
		{name: stageRows, suffix: big, endpoints: []string{"verify", "introspect", "token", "applications"}, fill: (*lab).fillTokens, widest: true},
		{
			name: stagePurge, suffix: big + ", expired ones being purged", endpoints: []string{"verify", "introspect", "token"},
			fill: (*lab).fillTokens, widest: true, purging: true,
		},
		{endpoints: []string{"gateway"}, fill: (*lab).openGateway},
	}
}

func keyOf(stage, endpoint string) string {
	if stage == "" {
		return endpoint
	}
	return endpoint + "-" + stage
}

// keys names all rows.
func keys() []string {
	var all []string
	for _, s := range stages(options{}) {
		for _, e := range s.endpoints {
			all = append(all, keyOf(s.name, e))
		}
	}
	return all
}

// stage brings the database into the state of s and measures its rows.
func (l *lab) stage(ctx context.Context, s stage) error {
	wanted := slices.DeleteFunc(slices.Clone(s.endpoints), func(e string) bool { return !l.wants(s.name, e) })
	if len(wanted) == 0 {
		return nil
	}
	if err := l.whileStopped(ctx, s.fill); err != nil {
		return err
	}
	for _, name := range wanted {
		e, err := l.endpoint(name)
		if err != nil {
			return err
		}
		if err := l.endpointRows(ctx, s, e); err != nil {
			return fmt.Errorf("%s: %w", keyOf(s.name, name), err)
		}
	}
	return nil
}

// endpointRows measures one endpoint, after a second of warming up.
func (l *lab) endpointRows(ctx context.Context, s stage, e endpoint) error {
	connections := l.connections
	if s.widest || e.widest {
		connections = []int{slices.Max(connections)}
	}
	if _, err := l.load(ctx, l.web, e, connections[0], 1); err != nil {
		return err
	}
	for _, c := range connections {
		r := result{key: keyOf(s.name, e.name), title: e.title + s.suffix, connections: c}
		if err := l.measure(ctx, &r, e, s.purging); err != nil {
			return err
		}
		l.results = append(l.results, r)
	}
	return nil
}
