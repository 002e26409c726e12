package api

import (
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
)

// What is read is what was signed: the same header can be written from it.
func FuzzParseSignature(f *testing.F) {
	f.Add("t=1,v1=" + strings.Repeat("0", 64))
	f.Add("t=01,v1=" + strings.Repeat("aF", 32) + ",v1=" + strings.Repeat("0", 64) + ",v0=x")
	f.Add("t=-1,v1=,t=,=,")
	f.Add(" t=99999999999999999999")
	f.Fuzz(func(t *testing.T, header string) {
		s, ok := parseSignature(header)
		if !ok {
			return
		}
		at, err := strconv.ParseInt(s.text, 10, 64)
		if err != nil || at != s.at || at < 0 || len(s.v1) == 0 || len(header) > maxSignature {
			t.Fatalf("%q: %+v", header, s)
		}
		again := "t=" + s.text
		for _, mac := range s.v1 {
			again += ",v1=" + hex.EncodeToString(mac)
		}
		if other, ok := parseSignature(again); !ok || other.at != s.at || len(other.v1) != len(s.v1) {
			t.Errorf("%q becomes %q", header, again)
		}
	})
}
