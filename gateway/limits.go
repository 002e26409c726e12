package gateway

import "time"

// Limits bound what a call may take.
type Limits struct {
	// Connect is for reaching an upstream, TLS included; Answer until it sends headers,
	// once it has the whole request.
	Connect, Answer time.Duration
	// Stall is for the client to take or to send the next bytes.
	Stall time.Duration
	// Idle ends a call that moves no byte either way.
	Idle time.Duration
	// Calls is how many may be open at once.
	Calls int64
}

// DefaultLimits are those of the program.
var DefaultLimits = Limits{Connect: 5 * time.Second, Answer: 30 * time.Second, Stall: 30 * time.Second, Idle: 10 * time.Minute, Calls: 10_000}

// ofTeam is how many calls one team may have open, so that there is room for others.
func (l Limits) ofTeam() int64 { return (l.Calls + 1) / 2 }

func (l Limits) orDefault() Limits {
	for _, pair := range []struct{ own, fallback *time.Duration }{
		{&l.Connect, &DefaultLimits.Connect}, {&l.Answer, &DefaultLimits.Answer}, {&l.Stall, &DefaultLimits.Stall}, {&l.Idle, &DefaultLimits.Idle},
	} {
		if *pair.own == 0 {
			*pair.own = *pair.fallback
		}
	}
	if l.Calls == 0 {
		l.Calls = DefaultLimits.Calls
	}
	return l
}
