package gateway_test

import (
	"bytes"
	"encoding/binary"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey/latchkey/gateway"
)

// frameEnds reads whole frames one after the other, by RFC 6455 section 5.2.
func frameEnds(stream []byte) (ends []int, closed bool) {
	at := 0
	for {
		rest := stream[at:]
		if len(rest) < 2 {
			return ends, closed
		}
		header, length := 2, uint64(rest[1]&0x7f)
		switch length {
		case 126:
			header = 4
		case 127:
			header = 10
		}
		if rest[1]&0x80 != 0 {
			header += 4
		}
		if len(rest) < header {
			return ends, closed
		}
		switch length {
		case 126:
			length = uint64(binary.BigEndian.Uint16(rest[2:]))
		case 127:
			length = binary.BigEndian.Uint64(rest[2:])
		}
		if length > uint64(len(rest)-header) {
			return ends, closed
		}
		closed = closed || rest[0]&0xf == 8
		at += header + int(length)
		ends = append(ends, at)
	}
}

// However a stream is cut into pieces, frames end where they end.
func FuzzFrames(f *testing.F) {
	f.Add(serverFrame(0x81, []byte("hello")), uint8(1))
	f.Add(append(serverFrame(0x01, bytes.Repeat([]byte{1}, 300)), clientClose...), uint8(3))
	f.Add([]byte{0x82, 0x7e, 0, 3, 1, 2, 3, 0x8a, 0}, uint8(255))
	f.Add([]byte{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5}, uint8(2))
	f.Add([]byte{0x81, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0}, uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		want, wantClosed := frameEnds(stream)
		got, between, closed := gateway.Follow(slices.Collect(slices.Chunk(stream, max(1, int(size))))...)
		// A cut may fall on the end of a frame, which is then seen once more.
		if got = slices.Compact(got); !slices.Equal(got, want) || closed != wantClosed {
			t.Errorf("frames end at %v, want %v; closed %t, want %t", got, want, closed, wantClosed)
		}
		if end := append([]int{0}, want...); between != (end[len(end)-1] == len(stream)) {
			t.Errorf("between frames: %t", between)
		}
	})
}

// G5: no token or ticket is left in a query, and nothing else is changed.
func FuzzCuttingTheQuery(f *testing.F) {
	for _, seed := range []string{"", "token=a", "a=1&token=b&c", "tic%6bet=x&token=y", "token", "&&token=%zz&", "token=a;b", "TOKEN=a", "a=token=b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		u := &url.URL{RawQuery: query}
		found := len(gateway.Values(gateway.CutCredentials(u)))
		kept, was := 0, strings.Split(query, "&")
		for pair := range strings.SplitSeq(u.RawQuery, "&") {
			name, _, _ := strings.Cut(pair, "=")
			if name, err := url.QueryUnescape(name); err == nil && (name == "token" || name == "ticket") {
				t.Errorf("%q leaves %q", query, u.RawQuery)
			}
			if pair != "" {
				kept++
			}
			if !slices.Contains(was, pair) && u.RawQuery != "" {
				t.Errorf("%q became %q", query, u.RawQuery)
			}
		}
		whole := 0
		for _, pair := range was {
			if pair != "" {
				whole++
			}
		}
		if found+kept != whole {
			t.Errorf("%q: %d cut, %d kept of %d", query, found, kept, whole)
		}
	})
}
