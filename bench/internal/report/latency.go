// Package report turns measurements into the table that is printed and kept
// in the documentation.
package report

import (
	"slices"
	"time"
)

// Percentile returns the latency that p percent of all are not above, the
// nearest-rank way; 0 when there are none. It sorts latencies.
func Percentile(latencies []time.Duration, p float64) time.Duration {
	if len(latencies) == 0 {
		return 0
	}
	slices.Sort(latencies)
	rank := int(p / 100 * float64(len(latencies)))
	if float64(rank) < p/100*float64(len(latencies)) {
		rank++ // rounded up
	}
	return latencies[min(max(rank, 1), len(latencies))-1]
}
