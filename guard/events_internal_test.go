package guard

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func all(r io.Reader) (found []event, err error) {
	for s := newEvents(r); ; {
		e, err := s.next()
		if err != nil {
			return found, err
		}
		found = append(found, e)
	}
}

func TestEvents(t *testing.T) {
	for text, want := range map[string][]event{
		"":                                  nil,
		"data: a\n":                         nil,
		"data: a\n\n":                       {{data: "a"}},
		"data:a\r\n\r\n":                    {{data: "a"}},
		"data:  a\r\r":                      {{data: " a"}},
		"\ufeffdata: a\n\n":                 {{data: "a"}},
		"data: a\ndata\ndata: b\n\n":        {{data: "a\n\nb"}},
		": comment\n\ndata: a\n\n":          {{data: "a"}},
		"event: x\n\ndata: a\n\n":           {{data: "a"}},
		"id: 1\n\ndata: a\n\n":              {{id: "1", data: "a"}},
		"id: 1\ndata\n\ndata: b\n\n":        {{id: "1", hasID: true}, {id: "1", data: "b"}},
		"id: 1\x00\nevent: e\ndata: a\n\n":  {{name: "e", data: "a"}},
		"id\ndata: a\n\n":                   {{hasID: true, data: "a"}},
		"retry: 5\nother: x\ndata: a\n\nda": {{data: "a"}},
	} {
		for what, r := range map[string]io.Reader{"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text))} {
			if got, err := all(r); !reflect.DeepEqual(got, want) || !errors.Is(err, io.EOF) {
				t.Errorf("%q, %s: %+v %v, want %+v", text, what, got, err, want)
			}
		}
	}
	for _, text := range []string{"data: " + strings.Repeat("a", maxEvent), strings.Repeat("data: aaaa\n", maxEvent/8)} {
		if got, err := all(strings.NewReader(text)); len(got) > 0 || !errors.Is(err, errLongEvent) {
			t.Errorf("a long event: %v", err)
		}
	}
}

// Whatever comes over the wire, nothing panics, and what cannot be read empties the memory.
func FuzzFeed(f *testing.F) {
	f.Add([]byte("id: 1.a\nevent: token\ndata: {\"sha256\":\"" + strings.Repeat("A", 43) + "\",\"jti\":\"x\"}\n\n"))
	f.Add([]byte("id: 2.a\nevent: application\ndata: {\"application\":\"x\"}\n\nevent: team\ndata: {\"team\":\"y\"}\n\n"))
	f.Add([]byte("event: reset\ndata: {}\n\nevent: heartbeat\ndata: {\"as_of\":12}\n\n"))
	f.Add([]byte("event: heartbeat\ndata: {\"as_of\":9e99}\n\n\revent: \xff\ndata: null\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		g := &Guard{cache: newCache(10, time.Minute), log: slog.New(slog.DiscardHandler)}
		g.cache.trustFrom(0)
		g.cache.keep(0, key{}, Token{Application: "a", Team: "t"}, int64(time.Hour))
		fd := feed{g: g}
		for s := newEvents(bytes.NewReader(text)); ; {
			e, err := s.next()
			if err != nil {
				return
			}
			before := g.cache.noticed()
			err = fd.heed(e)
			until := g.cache.trust.Load().steady
			if until > g.cache.elapsed()+int64(trustFor) {
				t.Fatalf("%+v is trusted until %s", e, time.Duration(until))
			}
			if err == nil && e.name != "heartbeat" && g.cache.noticed() == before {
				t.Fatalf("%+v is heeded and nothing is forgotten", e)
			}
		}
	})
}
