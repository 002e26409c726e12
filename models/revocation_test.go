package models_test

import (
	"testing"

	"github.com/latchkey/latchkey/models"
)

func FuzzPosition(f *testing.F) {
	for _, text := range []string{"", "0.a", "12.0195-ab", "1", ".", "1.", "-1.a", "+1.a", "01.a", "9223372036854775808.a", "1.a.b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := models.ParsePosition(text)
		if ok && (p.String() != text || p.Seq < 0 || p.Mark == "" || len(text) > 64) {
			t.Errorf("%q is read as %v", text, p)
		}
	})
}
