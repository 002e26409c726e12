package views

import (
	"strings"

	"github.com/latchkey/latchkey/models"
)

// StreamsClose says how many open streams end with what is asked about, nothing for none.
func StreamsClose(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 live stream closes too."
	}
	return models.Count(int64(n), "live stream") + " close too."
}

// sentences puts one behind the other, where there is another.
func sentences(one, other string) string { return strings.TrimSuffix(one+" "+other, " ") }
