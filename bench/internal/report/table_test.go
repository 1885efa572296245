package report

import (
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	t.Parallel()
	got := Table([]Row{
		{System: "direct", Connections: 1, Rate: 20000, P50: 50 * time.Microsecond, P99: 123 * time.Microsecond, Server: 9870},
		{System: "gateway", Connections: 1, Rate: 10000, P50: 99400, P99: 1500 * time.Microsecond, Client: 5 * time.Microsecond},
		{System: "peer", Connections: 1, Rate: 999.6, P99: 2 * time.Second, Errors: 3},
		{System: "gateway", Connections: 1000, Rate: 1234567},
	}, "direct", "peer")
	want := `
| Connections | System  | Messages/s |     p50 |     p99 | CPU/message | Client's CPU | Errors | Of direct | Of peer |
| ----------: | ------- | ---------: | ------: | ------: | ----------: | -----------: | -----: | --------: | ------: |
|           1 | direct  |     20,000 | 50.0 µs |  123 µs |     9.87 µs |      0.00 µs |      0 |      1.00 |   20.0× |
|           1 | gateway |     10,000 | 99.4 µs | 1.50 ms |     0.00 µs |      5.00 µs |      0 |      0.50 |   10.0× |
|           1 | peer    |      1,000 | 0.00 µs |  2.00 s |     0.00 µs |      0.00 µs |      3 |      0.05 |    1.0× |
|        1000 | gateway |  1,234,567 | 0.00 µs | 0.00 µs |     0.00 µs |      0.00 µs |      0 |         – |       – |
`
	if got != strings.TrimPrefix(want, "\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestSeriesTable(t *testing.T) {
	t.Parallel()
	got := SeriesTable([]Series{
		{Name: "a change", Times: []time.Duration{3 * time.Millisecond, time.Millisecond, 2 * time.Millisecond}, Target: 50 * time.Millisecond},
		{Name: "nothing"},
	})
	want := `
| Times | What     |  Median |     90% | Longest |  Target |
| ----: | -------- | ------: | ------: | ------: | ------: |
|     3 | a change | 2.00 ms | 3.00 ms | 3.00 ms | 50.0 ms |
|     0 | nothing  | 0.00 µs | 0.00 µs | 0.00 µs |       – |
`
	if got != strings.TrimPrefix(want, "\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestRatios(t *testing.T) {
	t.Parallel()
	got := Ratios([]Row{
		{System: "new", Connections: 1, Rate: 900, Server: 110}, {System: "old", Connections: 1, Rate: 1000, Server: 100},
		{System: "new", Connections: 10, Rate: 900, Server: 110}, {System: "old", Connections: 10}, // it answered nothing
	}, "new", "old")
	if want := "    1 connections: 0.900 of the messages/s of \"old\", 1.100 of its CPU/message\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
