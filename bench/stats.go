package main

import (
	"slices"
	"strconv"
)

// median is the middle, or the mean of the two in the middle.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// over takes one figure of each.
func over[T any](all []T, figure func(T) float64) []float64 {
	values := make([]float64, len(all))
	for i, one := range all {
		values[i] = figure(one)
	}
	return values
}

// summary is the medians of some runs, and the highest peak of memory.
func summary(runs []measured) measured {
	return measured{
		rate:   median(over(runs, func(m measured) float64 { return m.rate })),
		p50:    median(over(runs, func(m measured) float64 { return m.p50 })),
		p99:    median(over(runs, func(m measured) float64 { return m.p99 })),
		memory: slices.Max(over(runs, func(m measured) float64 { return m.memory })),
	}
}

func (r result) own() measured {
	runs := make([]measured, len(r.rounds))
	for i := range r.rounds {
		runs[i] = r.rounds[i].own
	}
	return summary(runs)
}

// ratios are the parts of bare echo, round by round.
func (r result) ratios() []float64 {
	return over(r.rounds, func(r round) float64 { return r.own.rate / r.bare.rate })
}

// thousands writes 5000000 as 5,000,000.
func thousands[T int | int64](n T) string {
	text := strconv.FormatInt(int64(n), 10)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
