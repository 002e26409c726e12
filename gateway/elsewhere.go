package gateway

import "time"

const (
	// heardFor is how long what another node has said of its streams is taken for true.
	heardFor = 2 * time.Second
	// maxElsewhere bounds the teams that have something open at other nodes, and nodes of one.
	maxElsewhere, maxNodes = 20_000, 256
)

// foreignStreams are what one team has open at other nodes, by node.
type foreignStreams map[uint64]foreignCount

type foreignCount struct {
	claimed, seen int64
	// at is when that was heard.
	at time.Duration
}

// Open visits the teams that have something open on this node: how many streams count for
// the limit of their plan, and how many are seen by people (see OfToken).
func (s *Streams) Open(visit func(team string, claimed, seen int64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.elapsed()
	for team, of := range s.teams {
		if seen := of.count(now, func(*holder) bool { return true }); seen > 0 || of.claimed > 0 {
			visit(team, of.claimed, int64(seen))
		}
	}
}

// HearOpen notes what a team has open at another node. It holds for heardFor.
func (s *Streams) HearOpen(node uint64, team string, claimed, seen int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.elsewhere[team]
	if claimed <= 0 && seen <= 0 {
		if delete(of, node); len(of) == 0 {
			delete(s.elsewhere, team)
		}
		return
	}
	if of == nil {
		if len(s.elsewhere) >= maxElsewhere {
			return
		}
		of = foreignStreams{}
		s.elsewhere[team] = of
	}
	if _, known := of[node]; known || len(of) < maxNodes {
		of[node] = foreignCount{max(claimed, 0), max(seen, 0), s.elapsed()}
	}
}

// foreign counts what a team has open at other nodes. It needs s.mu.
func (s *Streams) foreign(team string) (claimed, seen int64) {
	now := s.elapsed()
	for _, n := range s.elsewhere[team] {
		if now-n.at < heardFor {
			claimed, seen = claimed+n.claimed, seen+n.seen
		}
	}
	return claimed, seen
}

// forgetElsewhere drops what was heard too long ago. It needs s.mu.
func (s *Streams) forgetElsewhere(now time.Duration) {
	for team, of := range s.elsewhere {
		for node, n := range of {
			if now-n.at >= heardFor {
				delete(of, node)
			}
		}
		if len(of) == 0 {
			delete(s.elsewhere, team)
		}
	}
}
