package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey/latchkey/tally"
)

// sink is where the values of series go.
type sink struct{ metrics chan<- prometheus.Metric }

func (to sink) send(s *series, value float64, labels ...string) {
	to.metrics <- prometheus.MustNewConstMetric(s.desc, s.kind, value, labels...)
}

func (to sink) count(s *series, value int64, labels ...string) { to.send(s, float64(value), labels...) }

// spread sends a distribution whose values are in units of unit.
func (to sink) spread(s *series, d tally.Distribution, unit float64, labels ...string) {
	buckets := make(map[float64]uint64, len(d.Bounds))
	for i, bound := range d.Bounds {
		buckets[float64(bound)/unit] = d.UpTo[i]
	}
	to.metrics <- prometheus.MustNewConstHistogram(s.desc, d.Count, float64(d.Sum)/unit, buckets, labels...)
}

const (
	ones    = 1
	seconds = float64(time.Second)
)

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
