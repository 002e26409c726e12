package models

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed zones.txt
var zoneNames string

// TimeZones lists the IANA zones that a person may choose, sorted: one at least for each
// country. UTC is not among them; it is the empty name.
var TimeZones = sync.OnceValue(func() []string { return strings.Fields(zoneNames) })

// CheckTimeZone takes the name of a zone, or nothing or "UTC" for UTC, which it returns
// as an empty name. The second result is the sentence to show for any other.
func CheckTimeZone(raw string) (zone, problem string) {
	if raw == "" || raw == "UTC" {
		return "", ""
	}
	if _, found := slices.BinarySearch(TimeZones(), raw); !found {
		return "", "Choose one of the time zones shown."
	}
	if _, err := time.LoadLocation(raw); err != nil {
		return "", "This host does not know that time zone. Choose another one."
	}
	return raw, ""
}
