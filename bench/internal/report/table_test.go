package report

import (
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	t.Parallel()
	got := Table([][]string{
		{"Connections", "System", "Messages/s", "p50"},
		{"1", "direct", Thousands(20000), Duration(50 * time.Microsecond)},
		{"1", "gateway", Thousands(999.6), Duration(99400)},
		{"1000", "8 bytes", Thousands(1234567), "–"},
	})
	want := `
| Connections | System  | Messages/s |     p50 |
| ----------: | ------- | ---------: | ------: |
|           1 | direct  |     20,000 | 50.0 µs |
|           1 | gateway |      1,000 | 99.4 µs |
|        1000 | 8 bytes |  1,234,567 |       – |
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
