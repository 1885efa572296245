package report

import (
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := 100; i > 0; i-- {
		hundred = append(hundred, time.Duration(i))
	}
	for _, test := range []struct {
		name      string
		latencies []time.Duration
		p         float64
		want      time.Duration
	}{
		{"none", nil, 50, 0},
		{"one", []time.Duration{7}, 99, 7},
		{"the lower middle of two", []time.Duration{9, 3}, 50, 3},
		{"the middle of three", []time.Duration{9, 3, 5}, 50, 5},
		{"half", hundred, 50, 50},
		{"nearly all", hundred, 99, 99},
		{"all", hundred, 100, 100},
		{"the least", hundred, 0, 1},
		{"between ranks", []time.Duration{1, 2, 3, 4}, 51, 3},
	} {
		if got := Percentile(test.latencies, test.p); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
