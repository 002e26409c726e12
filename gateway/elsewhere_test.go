package gateway_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey/latchkey/gateway"
)

// R3: what other nodes have open is added, bounded, and forgotten when they fall silent.
func TestStreamsElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := gateway.NewStreams(t.Context(), nil, nil)
		defer func() { _ = s.Close(context.WithoutCancel(t.Context())) }()
		s.HearOpen(1, "northwind", 2, 3)
		s.HearOpen(2, "northwind", 1, 1)
		s.HearOpen(2, "contoso", 1, 1)
		if n := s.OfTeam("northwind"); n != 4 {
			t.Errorf("%d are open", n)
		}
		s.HearOpen(1, "northwind", 0, 0)
		s.HearOpen(1, "nobody", 0, 0)
		if n := s.OfTeam("northwind"); n != 1 {
			t.Errorf("%d are open after some ended", n)
		}
		time.Sleep(1900 * time.Millisecond)
		s.HearOpen(2, "northwind", 1, 1)
		time.Sleep(200 * time.Millisecond)
		if n, other := s.OfTeam("northwind"), s.OfTeam("contoso"); n != 1 || other != 0 {
			t.Errorf("%d and %d are open", n, other)
		}
		for i := range 30_000 {
			s.HearOpen(3, fmt.Sprint(i), 1, 1)
			s.HearOpen(uint64(i), "northwind", 1, 1)
		}
		if n := s.OfTeam("northwind"); n > 256 || s.OfTeam("29999") != 0 {
			t.Errorf("%d are open", n)
		}
		time.Sleep(3 * time.Second)
		s.HearOpen(3, "29999", 1, 1)
		if s.OfTeam("29999") != 1 {
			t.Error("there is no room again")
		}
	})
}
